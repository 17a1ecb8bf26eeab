/* What our page changes about simcord's scripts, and what it adds. */

import { node } from "/dom.js";

const HEARD_MS = 100; // between two looks whether a press is answered
const ANSWER_MS = 20000; // after which a new message is no answer to a press
const OFFERED = 2; // options that are offered by name
const DRAGGED = "text/x-safelight"; // the type of a picture that is dragged: its name
const sidebar = document.querySelector(".safelight");
const capability = location.hash.slice(1);

// Pictures: an edited message keeps those that it shows until the new ones are there, because an
// edit uploads them anew, and for a moment there are none.

/** The pictures of the page, each by its place. @type {Map<string, HTMLImageElement>} */
const places = new Map();

/** Return the picture that stood in this place before its message was edited, else a new one. */
export function kept(options, className, group) {
  if (!options.messageId || group !== options.lightboxGroup) return node("img", className);
  group.places = (group.places ?? 0) + 1;
  const place = [options.contextId, options.messageId, className, group.places].join();
  if (places.get(place)?.isConnected !== false) places.set(place, node("img", className));
  return places.get(place);
}

/** Return what stands in the place of a picture that is not there: the one before, else a word. */
export function missing(options, className, group, label) {
  const image = kept(options, className, group);
  if (!image.src) return node("div", "media-unavailable", `${label || "Media"} unavailable`);
  const frame = node("button", "media-lightbox-trigger");
  frame.disabled = true;
  frame.append(image);
  return frame;
}

/** Wait until a picture can be drawn: only then may it take the old one's place. */
export async function drawable(url) {
  const next = new Image();
  next.src = url;
  await next.decode();
}

// Selects.

/** What each select had selected when it was last drawn. @type {Map<string, string>} */
const defaults = new Map();

/** Return whether a select that was drawn before now has something else selected. */
export function hasNewDefaults(key, values) {
  const before = defaults.get(key);
  defaults.set(key, values.join());
  return before !== undefined && before !== values.join();
}

// Commands.

/** Offer the first options by name: the rest is behind a button. */
export function offerOptions(row, options, add) {
  for (const option of options.slice(0, OFFERED)) {
    const button = node("button", "command-ghost", `+ ${option.name}`);
    button.type = "button";
    button.title = option.description;
    button.dataset.type = option.type;
    button.addEventListener("click", () => add(option));
    row.append(button);
  }
}

// Actions: one that comes while another is being answered is held until it can be sent.

/** The newest of these, with the view that it belongs to. @type {{view: string, send: () => void} | null} */
let waiting = null;

/** Return what names a view: who looks, and since which change of place. */
const viewOf = ({ viewerId, contextGeneration }) => `${viewerId}:${contextGeneration}`;

/** Hold an action. Clicks are clicked again by `hear`, and one like the pending one is the same, twice. */
export function hold(pending, kind, context, send) {
  if (pending && kind !== "click" && kind !== pending.kind) waiting = { view: viewOf(context), send };
}

/** Send the held action, if the page still shows what it was meant for; return whether there was one. */
export function release(context) {
  const action = waiting;
  waiting = null;
  if (action?.view !== viewOf(context)) return false;
  action.send();
  return true;
}

// Presses: each shows at once that it was heard, and its answer is scrolled into view. One that
// comes while another is being answered is not lost, but pressed once it can be.

let acted = -Infinity;

/** Return whether a new message answers what was just pressed or typed; true only once. */
export function answersPress() {
  const answers = performance.now() - acted < ANSWER_MS;
  acted = -Infinity;
  return answers;
}

/** Show on a button that it was pressed until that is answered. */
function hear(button) {
  const key = button.dataset.controlKey;
  let held = button.ariaDisabled === "true";
  const look = setInterval(show, HEARD_MS);
  function show() {
    const now = document.querySelector(`[data-control-key="${CSS.escape(key)}"]`);
    const waits = now && !now.disabled && now.ariaDisabled === "true";
    now?.classList.toggle("safelight-pressed", Boolean(waits || (held && now)));
    if (waits) return;
    clearInterval(look);
    now?.classList.remove("safelight-pressed");
    if (held) now?.click();
    else if (button.innerText === sidebar.dataset.share) showAs("Robin");
    held = false;
  }
  button.classList.add("safelight-pressed");
}

/** Show the channel as another person sees it. */
function showAs(name) {
  const picker = document.querySelector("#viewer-picker");
  picker.value = [...picker.options].find((each) => each.text.includes(name)).value;
  picker.dispatchEvent(new Event("change"));
  picker.parentNode.classList.add("safelight-turned");
  picker.parentNode.addEventListener("animationend", ({ currentTarget }) => currentTarget.classList.remove("safelight-turned"));
}

document.addEventListener("click", ({ target }) => {
  const pressed = target instanceof Element && target.closest("button");
  if (!pressed || pressed.disabled) return;
  if (!pressed.closest(".channel-message, .modal-dialog, .channel-composer")) return;
  acted = performance.now();
  if (pressed.matches(".component-button[data-control-key]:not(.safelight-pressed)")) hear(pressed);
  // A form that was sent closes; one that lacks something is drawn anew, with a new button.
  if (pressed.matches(".modal-actions .button-primary")) pressed.classList.add("safelight-pressed");
}, true);
document.addEventListener("keydown", ({ key }) => {
  if (key === "Enter") acted = performance.now();
}, true);

/** A link to a message leads there, not to Discord. */
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest('a[href^="https://discord.com/channels/"]');
  if (!link) return;
  event.preventDefault();
  document.querySelector(`.channel-message[data-message-id="${link.href.split("/").at(-1)}"]`)?.scrollIntoView();
}, true);

// Pictures to upload.

const pictures = [...document.querySelectorAll(".safelight .pictures img")];

/** Return one of the mascot's pictures as a file. */
async function fetchPicture(image) {
  const content = await (await fetch(image.src)).blob();
  return new File([content], `${image.alt}.png`, { type: "image/png" });
}

/** Choose files in a field that takes them. */
function choose(input, files) {
  const given = new DataTransfer();
  files.forEach((file) => given.items.add(file));
  input.files = given.files;
  input.dispatchEvent(new Event("change"));
}

/** Return whether one of the mascot's pictures is among a field's files. */
const isChosen = (zone, image) =>
  [...zone.parentNode.querySelectorAll(".upload-file-name")].some((each) => each.textContent === `${image.alt}.png`);

/** Offer the mascot's pictures in a form that takes files: a press adds one, or all. */
function offerPictures(zone) {
  const shelf = node("div", "safelight-shelf");
  const add = async (chosen) => {
    const missed = chosen.filter((each) => !isChosen(zone, each));
    choose(zone.querySelector("input"), await Promise.all(missed.map(fetchPicture)));
  };
  for (const image of pictures) {
    const button = node("button");
    button.type = "button";
    button.draggable = true;
    button.append(image.cloneNode());
    button.addEventListener("click", () => add([image]));
    shelf.append(button);
  }
  const all = node("button", "", "Add ten");
  all.type = "button";
  all.addEventListener("click", () => add(pictures.slice(0, 10)));
  shelf.append(all);
  zone.after(shelf);
}

new MutationObserver(() => {
  for (const zone of document.querySelectorAll(".upload-dropzone")) {
    if (!zone.nextElementSibling?.classList.contains("safelight-shelf")) offerPictures(zone);
    // The list of files may be out of sight.
    const shelf = zone.nextElementSibling;
    shelf.dataset.chosen = zone.parentNode.querySelectorAll(".upload-file-name").length;
    for (const image of shelf.querySelectorAll("img")) image.classList.toggle("chosen", isChosen(zone, image));
  }
}).observe(document.body, { childList: true, subtree: true });

/** Return a field of the open form or command that takes a file. */
function findField() {
  const fields = document.querySelectorAll(".upload-dropzone input, .command-pill:has(.command-file-choose) input");
  return [...fields].find((field) => !field.closest(".command-pill:has(.command-file-remove)"));
}

/** Take files that were dropped: into the open form or command, else into the channel. */
async function drop(files) {
  if (!findField()) document.querySelector(".command-ghost[data-type=attachment]")?.click();
  const field = findField();
  if (field) {
    choose(field, field.multiple ? files : files.slice(0, 1));
    return;
  }
  const message = new FormData();
  message.append("viewer", document.querySelector("#viewer-picker").value);
  files.forEach((file) => message.append("file", file));
  acted = performance.now();
  await fetch("/api/post", { method: "POST", headers: { "X-Simcord-Capability": capability }, body: message });
}

/** Return where files may be dropped: on the open form, else on the message box or the channel. */
const findZone = ({ target }) =>
  document.querySelector(".modal-dialog") ? target.closest(".modal-dialog:has(.upload-dropzone)") : target.closest(".channel-layout");

document.addEventListener("dragstart", ({ target, dataTransfer }) => {
  const image = target.closest(".safelight .pictures a, .safelight-shelf button")?.querySelector("img");
  if (image) dataTransfer.setData(DRAGGED, image.alt);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault(); // or the browser would leave the page and open the picture
  event.dataTransfer.dropEffect = findZone(event) ? "copy" : "none";
}, true);
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  if (!findZone(event)) return;
  const files = [...event.dataTransfer.files];
  const ours = pictures.find((each) => each.alt === event.dataTransfer.getData(DRAGGED));
  await drop(ours ? [await fetchPicture(ours)] : files);
}, true);

// Prompts.

/** Return the newest button of a card that says this. */
const find = (text) =>
  [...document.querySelectorAll(".channel-message button.component-button")].findLast((each) => each.innerText === text);

/** A prompt beside the channel is pressed on the newest card that recommends it, once there is one. */
for (const prompt of document.querySelectorAll(".safelight-prompt")) {
  const look = () => {
    const button = find(prompt.textContent);
    prompt.disabled = !button;
    prompt.classList.toggle("safelight-pressed", Boolean(button?.matches(".safelight-pressed")));
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributeFilter: ["class"] });
  prompt.addEventListener("click", () => {
    document.querySelector('#messages-toggle[aria-expanded="true"]')?.click();
    find(prompt.textContent)?.click();
  });
}
