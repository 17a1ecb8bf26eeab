/* The upload page: sends photos one by one, each once, and shows the dataset as it fills. */

const given = JSON.parse(document.body.dataset.given); // our sentences, and limits
const headers = { Authorization: `Bearer ${location.hash.slice(1)}` };
const AT_ONCE = 3, BATCH = 20; // files that are sent at once; files that are asked about at once
const STALL_MS = 60000, BUSY_MS = 1500, IDLE_MS = 15000, MAX_PAUSE_MS = 20000;
const $ = (id) => document.getElementById(id);
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
const photos = new Map(); // those that are shown: id -> { box, update, born }
const files = []; // those that were added: { file, kind, digest, state, box, bar }
const reading = new Map(); // zips that the server reads: digest -> name
const tally = { new: 0, known: 0, refused: 0 };
let agreed, ended, offline, busy, preparing, sending = 0, wake = () => {};

function make(kind, name = "", text = "") {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}

// Requests. One that fails on the way is sent again: the server counts the same file once.

/** Call `send` until it is answered, waiting longer and longer, or until the connection is back. */
async function insist(send) {
  for (let tries = 0; !ended; tries += 1) {
    try {
      const { status, body } = await send(tries);
      offline = false;
      if (status === 401) end(body.said);
      else if (status !== 429 && status < 500) return { status, body };
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

/** Send a file; a connection on which nothing moves is given up. */
const put = ({ kind, digest, file, bar }) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest(); // fetch does not tell how far it is
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

/** Stop for good: the link is no longer valid. */
function end(said) {
  ended = true;
  $("trouble").textContent = said;
  $("trouble").hidden = false;
  $("choose").hidden = $("consent").hidden = true;
}

// Files on their way: new, hashed, waiting, sending; done or refused.

/** Take files that somebody chose, dropped or pasted. */
function add(chosen) {
  for (const file of chosen) {
    const kind = /\.zip$/i.test(file.name) ? "zips" : "photos", most = given.bytes[kind];
    const entry = { file, kind, state: "new", box: make("li", "file"), bar: make("progress") };
    entry.bar.value = 0;
    entry.box.append(make("p", "name", file.name), entry.bar);
    $("photos").append(entry.box);
    files.push(entry);
    if (file.size > most) refuse(entry, fill(given.heavy, { megabytes: file.size >> 20, most: most >> 20 }));
  }
  prepare();
}

/** Hash new files, and ask which of them are there: after a cut, few are sent again. */
async function prepare() {
  say();
  if (preparing) return;
  preparing = true;
  for (let some; !ended && (some = files.filter(({ state }) => state === "new").slice(0, BATCH)).length;) {
    for (const entry of some) {
      try {
        const hash = await crypto.subtle.digest("SHA-256", await entry.file.arrayBuffer());
        entry.digest = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
        const twin = files.some((other) => other !== entry && other.digest === entry.digest && other.state !== "refused");
        if (twin) settle(entry, "known");
        else entry.state = "hashed";
      } catch {
        refuse(entry, given.unreadable);
      }
    }
    some = some.filter(({ state }) => state === "hashed");
    const { body } = await ask("POST", "known", { digests: some.map(({ digest }) => digest) });
    for (const entry of some) {
      if (body[entry.digest]) settle(entry, "known");
      else entry.state = "waiting";
    }
    start();
    say();
  }
  preparing = false;
}

function start() {
  for (; sending < AT_ONCE; sending += 1) work().finally(() => { sending -= 1; });
}

/** Send one waiting file after the other. */
async function work() {
  for (let entry; agreed && !ended && (entry = files.find(({ state }) => state === "waiting"));) {
    entry.state = "sending";
    const image = entry.kind === "photos" && show(entry.box, entry.file);
    const { status, body } = await insist(async (tries) => {
      const known = tries && (await ask("POST", "known", { digests: [entry.digest] })).body[entry.digest];
      const sent = known ? { status: 200, body: {} } : await put(entry);
      if (tries) sent.body.new = true; // it was not there before the first try
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
      if (body.id && !photos.has(body.id)) showPhoto(body, entry.box);
      settle(entry, body.new ? "new" : "known");
    } else if (status) {
      refuse(entry, body.said);
    }
    wake();
  }
}

/** Note what became of a file. */
function settle(entry, became) {
  entry.state = became === "refused" ? became : "done";
  tally[became] += 1;
  if (entry.box.matches(".file")) entry.box.remove();
  say();
}

function refuse(entry, said) {
  note(`${entry.file.name}: ${said}`);
  settle(entry, "refused");
}

/** Show a line until it is hidden. */
function note(said) {
  const line = make("li", "", said), button = make("button", "", "×");
  button.ariaLabel = given.dismiss;
  button.onclick = () => line.remove();
  line.append(button);
  $("notes").append(line);
}

const isOpen = ({ state }) => state !== "done" && state !== "refused";

/** Say how far everything is. */
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

// Photos of the dataset.

const looks = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    looks.unobserve(target);
    fetch(`upload/previews/${target.dataset.id}`, { headers })
      .then(async (answer) => answer.ok && show(target, await answer.blob()))
      .catch(() => looks.observe(target));
  }
}, { rootMargin: "300px" });

/** Show a picture in a box. */
function show(box, picture) {
  const image = box.querySelector("img") ?? box.insertBefore(make("img"), box.firstChild);
  image.onerror = () => image.removeAttribute("src"); // few browsers read HEIC
  image.src = URL.createObjectURL(picture);
  return image;
}

/** Show a photo with its caption, in its file's box if there is one. */
function showPhoto(photo, box = make("li")) {
  const image = make("img"), text = make("textarea"), by = make("p", "by"), said = make("p", "said");
  const remove = make("button", "remove", given.remove), path = `photos/${photo.id}`;
  let saving;
  const update = (now) => {
    if (document.activeElement !== text && !saving) text.value = now.caption;
    by.textContent = now.by;
    said.textContent = now.said;
    image.alt = now.alt;
  };
  text.ariaLabel = given.caption;
  text.placeholder = given.uncaptioned;
  text.onchange = async () => {
    saving = true;
    const { status, body } = await ask("PATCH", path, { caption: text.value });
    saving = false;
    if (status < 300) update(body);
    else note(body.said);
  };
  remove.onblur = () => { remove.textContent = given.remove; };
  remove.onclick = async () => {
    if (remove.textContent !== given.sure) return remove.textContent = given.sure;
    remove.disabled = true;
    const { status, body } = await ask("DELETE", path);
    remove.disabled = false;
    if (status < 300 || status === 404) drop(photo.id);
    else note(body.said);
    wake();
  };
  box.className = "photo";
  box.dataset.id = photo.id;
  box.replaceChildren(image, text, by, said, remove);
  $("photos").append(box);
  photos.set(photo.id, { box, update, born: performance.now() });
  update(photo);
  looks.observe(box);
}

function drop(id) {
  const { box } = photos.get(id);
  photos.delete(id);
  URL.revokeObjectURL(box.querySelector("img").src);
  box.remove();
}

/** Show the dataset as it is now; it may have changed on another page or on Discord. */
async function refresh() {
  const asked = performance.now(), { status, body } = await ask("GET", "photos");
  if (!status) return;
  ({ agreed, busy } = body);
  for (const id of ["name", "count", "status"]) $(id).textContent = body[id];
  $("consent").hidden = agreed;
  if (!agreed && !$("terms").children.length) $("terms").append(...body.terms.map((line) => make("li", "", line)));
  $("choose").hidden = false;
  $("hint").hidden = !body.photos.length;
  const there = new Set(body.photos.map(({ id }) => id));
  for (const [id, { born }] of photos) if (!there.has(id) && born < asked) drop(id);
  for (const photo of body.photos) (photos.get(photo.id)?.update ?? showPhoto)(photo);
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
      setTimeout(next, busy || sending || reading.size ? BUSY_MS : IDLE_MS);
    });
  }
}

function drag(event) {
  event.preventDefault();
  document.body.classList.toggle("dragging", event.type === "dragover");
}
$("consent").onsubmit = async (event) => {
  event.preventDefault();
  await ask("POST", "consent");
  await refresh();
};
$("files").onchange = ({ target }) => {
  add([...target.files]);
  target.value = "";
};
addEventListener("paste", ({ clipboardData }) => add(clipboardData.files));
for (const type of ["dragover", "dragleave", "drop"]) addEventListener(type, drag);
addEventListener("drop", ({ dataTransfer }) => add(dataTransfer.files));
addEventListener("beforeunload", (event) => files.some(isOpen) && !ended && event.preventDefault());
addEventListener("hashchange", () => location.reload());
addEventListener("visibilitychange", () => wake());
watch();
