// Small conveniences; every page is complete without them.
"use strict";

// A part of a page that is marked data-live="seconds" is read again so often, while the page is looked at. It waits
// while somebody is in a form, or has selected text.
const busy = () =>
  document.querySelector("details.act[open]") !== null || String(document.getSelection()) !== "" ||
  ["INPUT", "TEXTAREA", "SELECT"].includes(document.activeElement?.tagName);

async function refresh(part) {
  if (document.hidden || busy()) return;
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) return;
  const read = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  if (read === null) return;
  const ended = "liveOff" in read.dataset;
  if (ended && !("liveOff" in part.dataset)) location.reload();
  else if (read.innerHTML !== part.innerHTML) part.replaceChildren(...read.childNodes);
}

for (const part of document.querySelectorAll("[data-live]:not([data-live-off])")) {
  setInterval(() => refresh(part).catch(() => {}), Number(part.dataset.live) * 1000);
}

// Ids can be copied with a click.
if (navigator.clipboard !== undefined) {
  for (const code of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link copy";
    button.textContent = "copy";
    button.setAttribute("aria-label", `Copy ${code.textContent}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
    code.after(" ", button);
  }
}

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
