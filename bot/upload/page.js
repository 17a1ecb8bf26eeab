/* Send photos one by one, each once, and show the dataset as it fills. */

const given = JSON.parse(document.body.dataset.given); // our sentences, and limits
const headers = { Authorization: `Bearer ${location.hash.slice(1)}` };
const AT_ONCE = 3, BATCH = 20; // files sent, and asked about, at once
const STALL_MS = 60000, BUSY_MS = 1500, IDLE_MS = 15000, MAX_PAUSE_MS = 20000;
const $ = (id) => document.getElementById(id);
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
const photos = new Map(); // shown: id -> { box, update }
const files = []; // those that were added: { file, kind, digest, state, box, bar, id }
const reading = new Map(); // zips that the server reads: digest -> name
const tally = { new: 0, known: 0, refused: 0 };
let own, agreed, others, ended, offline, busy, preparing, sending = 0, wake = () => {};

const make = (name) => $(name).content.firstElementChild.cloneNode(true);

// Requests. One that fails is sent again: the server counts a file once.

/** Call `send` until it is answered, ever more slowly. */
async function insist(send) {
  for (let tries = 0; !ended; tries += 1) {
    try {
      const { status, body } = await send(tries);
      offline = false;
      if (status === 401) end(body.said);
      else if (status !== 429 && (status < 500 || (body.said && tries > 2))) return { status, body };
    } catch {
      offline = true;
    }
    say();
    await new Promise((next) => {
      setTimeout(next, Math.min(MAX_PAUSE_MS, 500 * 2 ** tries) * (0.75 + Math.random() / 2));
      addEventListener("online", next, { once: true });
    });
  }
  return { body: {} };
}

const ask = (method, path, body) => insist(async () => {
  const answer = await fetch(`upload/${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
});

/** Send a file, as long as it moves. */
const put = ({ kind, digest, file, bar }) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest(); // fetch does not tell how far
  let late;
  const wait = () => {
    clearTimeout(late);
    late = setTimeout(() => request.abort(), STALL_MS);
  };
  request.open("PUT", `upload/${kind}/${digest}`);
  request.setRequestHeader("Authorization", headers.Authorization);
  request.setRequestHeader("X-Name", encodeURIComponent(file.name));
  request.responseType = "json";
  request.upload.onprogress = ({ loaded, total }) => {
    wait();
    bar.value = loaded / total;
  };
  request.onload = () => resolve({ status: request.status, body: request.response ?? {} });
  request.onerror = request.onabort = reject;
  request.onloadend = () => clearTimeout(late);
  wait();
  request.send(file);
});

/** Stop for good: the link has ended. */
function end(said) {
  $("trouble").textContent = said;
  $("choose").hidden = $("consent").hidden = ended = true;
}

// Files chosen, dropped or pasted: new, hashed, waiting, sending, done.

function add(chosen) {
  for (const file of chosen) {
    const kind = /\.zip$/i.test(file.name) ? "zips" : "photos", most = given.bytes[kind];
    const box = make("file"), [name, bar] = box.children, entry = { file, kind, box, bar, state: "new" };
    name.textContent = file.name;
    $("photos").append(box);
    files.push(entry);
    if (file.size > most) refuse(entry, fill(given.heavy, { megabytes: file.size >> 20, most: most >> 20 }));
  }
  prepare();
}

/** Hash new files, and ask which are there. */
async function prepare() {
  say();
  if (preparing) return;
  preparing = true;
  for (let some; !ended && (some = files.filter(({ state }) => state === "new").slice(0, BATCH)).length;) {
    for (const entry of some) {
      try {
        const hash = await crypto.subtle.digest("SHA-256", await entry.file.arrayBuffer());
        entry.digest = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
        const first = files.find((each) => each.digest === entry.digest && isOpen(each));
        if (first !== entry && !/mask/i.test(entry.file.name)) settle(entry, "known"); // masks may be equal
        else entry.state = "hashed";
      } catch {
        refuse(entry, given.unreadable);
      }
    }
    some = some.filter(({ state }) => state === "hashed");
    const { body } = await ask("POST", "known", { digests: some.map(({ digest, file }) => [digest, file.name]) });
    for (const entry of some) body[entry.digest] ? settle(entry, "known") : entry.state = "waiting";
    start();
    say();
  }
  preparing = false;
}

function start() {
  for (; sending < AT_ONCE; sending += 1) work().finally(() => { sending -= 1; });
}

async function work() {
  for (let entry; agreed && !ended && (entry = files.find(({ state }) => state === "waiting"));) {
    entry.state = "sending";
    const image = entry.kind === "photos" && show(entry.box, entry.file);
    const { status, body } = await insist(async (tries) => {
      const known = tries && (await ask("POST", "known", { digests: [entry.digest] })).body[entry.digest];
      const sent = known ? { status: 200, body: {} } : await put(entry);
      if (tries) sent.body.new = true; // it was not there before
      return sent;
    });
    if (image) URL.revokeObjectURL(image.src);
    if (status === 403) {
      entry.state = "waiting";
      agreed = false;
    } else if (status === 202) {
      reading.set(entry.digest, entry.file.name);
      settle(entry);
    } else if (status < 300) {
      settle(entry, body.new ? "new" : "known", body.id);
    } else if (status) {
      refuse(entry, body.said);
    }
    wake();
  }
}

/** Be done with a file; what became a photo stays until that is shown. */
function settle(entry, became, id) {
  entry.state = "done";
  entry.id = id;
  if (!id) entry.box.remove();
  tally[became] += 1;
  say();
}

function refuse(entry, said) {
  note(`❌ ${entry.file.name}: ${said}`);
  settle(entry, "refused");
}

function note(said) {
  const line = make("note"), [text, hide] = line.children;
  text.textContent = said;
  hide.onclick = () => line.remove();
  $("notes").append(line);
}

const isOpen = ({ state }) => state !== "done";

function say() {
  const all = files.length, done = all - files.filter(isOpen).length, [zip] = reading.values();
  const some = (name) => (tally[name] ? fill(given[name], { count: tally[name] }) : "");
  $("whole").hidden = done === all;
  $("whole").value = all && done / all;
  $("news").textContent = offline ? given.offline
    : done < all ? fill(agreed ? given.sending : given.consent, { done, all })
    : zip ? fill(given.reading, { name: zip })
    : all && !busy ? fill(given.sent, { new: tally.new, known: some("known"), refused: some("refused") }) : busy ?? "";
}

// Photos.

const looks = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    looks.unobserve(target);
    fetch(`upload/previews/${target.dataset.id}`, { headers })
      .then(async (answer) => answer.ok && show(target, await answer.blob()))
      .catch(() => looks.observe(target));
  }
}, { rootMargin: "300px" });

function show(box, picture) {
  const image = box.querySelector("img");
  image.onerror = () => image.removeAttribute("src"); // few browsers read HEIC
  image.src = URL.createObjectURL(picture);
  return image;
}

function showPhoto(photo) {
  const box = make("photo"), [frame, text, by, verdict, row] = box.children;
  const [image, crop] = frame.children, also = row.querySelector("select"), remove = row.lastElementChild;
  let saving, place;
  const lay = ([left, top, right, bottom]) => {
    place = [left, top, right, bottom];
    crop.style.inset = [top, 1 - right, 1 - bottom, left].map((side) => `${100 * side}%`).join(" ");
  };
  const update = (now) => {
    if (saving || box.querySelector(":focus:not(button)")) return;
    text.value = now.caption;
    by.textContent = now.by;
    verdict.textContent = now.verdict;
    image.alt = now.alt;
    frame.dataset.number = now.badge;
    box.style.order = now.number;
    frame.style.setProperty("--ratio", now.ratio);
    crop.hidden = !now.crop;
    if (now.crop) lay(now.crop);
    for (const button of row.querySelectorAll("[name]")) {
      const [pressed, what] = now.acts[button.name] ?? [];
      button.hidden = !what;
      button.ariaPressed = pressed;
      button.onclick = () => change(what);
    }
    also.hidden = !now.also;
    also.length = 1;
    for (const other of others) also.add(new Option(...other));
  };
  const change = async (what) => {
    saving = true;
    const { body } = await ask(what ? "PATCH" : "DELETE", `photos/${photo.id}`, what);
    saving = false;
    if (body.said) note(body.said);
    await refresh();
  };
  crop.onpointerdown = (down) => {
    if (!own) return;
    const before = place, [left, top, right, bottom] = place, { width, height } = frame.getBoundingClientRect();
    const within = (by, low, high) => Math.min(Math.max(by, -low), 1 - high);
    saving = true;
    crop.setPointerCapture(down.pointerId);
    crop.onpointermove = (move) => {
      const x = within((move.clientX - down.clientX) / width, left, right);
      const y = within((move.clientY - down.clientY) / height, top, bottom);
      lay([left + x, top + y, right + x, bottom + y]);
    };
    crop.onlostpointercapture = () => {
      saving = crop.onpointermove = null;
      if (place !== before) change({ crop: [(place[0] + place[2]) / 2, (place[1] + place[3]) / 2] });
    };
  };
  text.readOnly = !own;
  text.onchange = () => change({ caption: text.value });
  also.onchange = () => {
    also.blur();
    change({ also: also.value });
  };
  remove.onblur = () => remove.classList.remove("sure");
  remove.onclick = () => (remove.matches(".sure") ? change() : remove.classList.add("sure"));
  box.dataset.id = photo.id;
  $("photos").append(box);
  photos.set(photo.id, { box, update });
  update(photo);
  looks.observe(box);
}

/** Show the dataset as it is now: another page may have changed it. */
async function refresh() {
  const done = files.filter(({ id }) => id), { status, body } = await ask("GET", "photos");
  if (!status) return;
  ({ own, agreed, busy, others } = body);
  for (const each of document.querySelectorAll(".told")) each.textContent = body[each.id];
  $("undo").value = body.undo;
  $("consent").hidden = agreed;
  document.body.classList.toggle("own", own);
  $("choose").hidden = false;
  const there = new Set(body.photos.map(({ id }) => id));
  for (const [id, { box }] of photos) {
    if (there.has(id)) continue;
    photos.delete(id);
    URL.revokeObjectURL(box.querySelector("img").src);
    box.remove();
  }
  for (const photo of body.photos) (photos.get(photo.id)?.update ?? showPhoto)(photo);
  for (const { box } of done) box.remove();
  for (const [digest, lines] of Object.entries(body.zips)) if (lines && reading.delete(digest)) lines.forEach(note);
  start();
  say();
}

async function watch() {
  if (!crypto.subtle) end(given.insecure);
  while (!ended) {
    if (!document.hidden || agreed === undefined) await refresh();
    await new Promise((next) => {
      wake = next;
      setTimeout(next, busy || $("photos").querySelector(".file") || reading.size ? BUSY_MS : IDLE_MS);
    });
  }
}

for (const form of document.forms) {
  if (!form.token) form.onsubmit = async (event) => {
    event.preventDefault();
    const { body } = await ask("POST", form.id, Object.fromEntries(new FormData(form, event.submitter)));
    if (body.said) note(body.said);
    await refresh();
  };
}
$("files").onchange = ({ target }) => {
  add([...target.files]);
  target.value = "";
};
addEventListener("paste", ({ clipboardData }) => add(clipboardData.files));
for (const type of ["dragover", "dragleave", "drop"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dragging", type === "dragover");
  });
}
addEventListener("drop", ({ dataTransfer }) => add(dataTransfer.files));
addEventListener("beforeunload", (event) => files.some(isOpen) && !ended && event.preventDefault());
addEventListener("hashchange", () => location.reload());
$("token").value = location.hash.slice(1);
addEventListener("visibilitychange", () => wake());
watch();
