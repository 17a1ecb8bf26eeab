/* What our page changes about simcord's scripts, and what it adds. */

import { node } from "/dom.js";

const HEARD_MS = 100; // between two looks whether a press is answered
const ANSWER_MS = 20000; // after which a new message is no answer to a press
const OFFERED = 2; // options that are offered by name

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

// Commands.

/** Offer the first options by name: the rest is behind a button. */
export function offerOptions(row, options, add) {
  for (const option of options.slice(0, OFFERED)) {
    const button = node("button", "command-ghost", `+ ${option.name}`);
    button.type = "button";
    button.title = option.description;
    button.addEventListener("click", () => add(option));
    row.append(button);
  }
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
    held = false;
  }
  button.classList.add("safelight-pressed");
}

document.addEventListener("click", ({ target }) => {
  const pressed = target instanceof Element && target.closest("button");
  if (!pressed || pressed.disabled) return;
  if (!pressed.closest(".channel-message, .modal-dialog, .channel-composer")) return;
  acted = performance.now();
  if (pressed.matches(".component-button[data-control-key]:not(.safelight-pressed)")) hear(pressed);
}, true);
document.addEventListener("keydown", ({ key }) => {
  if (key === "Enter") acted = performance.now();
}, true);

// Pictures to upload.

/** Offer the mascot's pictures in a form that takes files: a press adds one, or all. */
function offerPictures(zone) {
  const shelf = node("div", "safelight-shelf");
  const pictures = [...document.querySelectorAll(".safelight .pictures img")];
  const add = async (chosen) => {
    const given = new DataTransfer();
    const there = [...zone.parentNode.querySelectorAll(".upload-file-name")].map((each) => each.textContent);
    for (const image of chosen.filter((each) => !there.includes(`${each.alt}.png`))) {
      const content = await (await fetch(image.src)).blob();
      given.items.add(new File([content], `${image.alt}.png`, { type: "image/png" }));
    }
    const input = zone.querySelector("input[type=file]");
    input.files = given.files;
    input.dispatchEvent(new Event("change"));
  };
  for (const image of pictures) {
    const button = node("button");
    button.type = "button";
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
  }
}).observe(document.body, { childList: true, subtree: true });

// Prompts.

/** Return the newest button of a card that says this. */
const find = (text) =>
  [...document.querySelectorAll(".channel-message button.component-button")].findLast((each) => each.innerText === text);

/** A prompt beside the channel is pressed on the newest card that recommends it, once there is one. */
for (const prompt of document.querySelectorAll(".safelight-prompt")) {
  const look = () => { prompt.disabled = !find(prompt.textContent); };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  prompt.addEventListener("click", () => {
    document.querySelector('#messages-toggle[aria-expanded="true"]')?.click();
    find(prompt.textContent)?.click();
  });
}
