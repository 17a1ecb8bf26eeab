/* What our page changes about simcord's. An edited message keeps the pictures that it shows until
   the new ones are there: an edit uploads them anew, and for a moment there are none. */

/** The pictures of the page, each by its place. @type {Map<string, HTMLImageElement>} */
const places = new Map();

/** Return the picture that stood in this place before its message was edited, else a new one. */
function kept(options, className, group) {
  if (!options.messageId || group !== options.lightboxGroup) return node("img", className);
  group.places = (group.places ?? 0) + 1;
  const place = [options.contextId, options.messageId, className, group.places].join();
  if (places.get(place)?.isConnected !== false) places.set(place, node("img", className));
  return places.get(place);
}

/** Return what stands in the place of a picture that is not there: the one before, else a word. */
function missing(options, className, group, label) {
  const image = kept(options, className, group);
  if (!image.src) return node("div", "media-unavailable", `${label || "Media"} unavailable`);
  const frame = node("button", "media-lightbox-trigger");
  frame.disabled = true;
  frame.append(image);
  return frame;
}

/** Wait until a picture can be drawn: only then may it take the old one's place. */
async function drawable(url) {
  const next = new Image();
  next.src = url;
  await next.decode();
}

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

/** Show at once that a press was heard, on the button that was pressed and on no other. */
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("button.component-button");
  if (!button || button.disabled || button.ariaDisabled === "true") return;
  button.classList.add("safelight-pressed");
  const look = setInterval(() => {
    if (button.isConnected && button.ariaDisabled === "true") return;
    clearInterval(look);
    button.classList.remove("safelight-pressed");
  }, 300);
}, true);

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
