/* The board of a work tip follows its sending. Without this file a link on the page does the same by hand. */
(() => {
  "use strict";

  const EACH_MS = 2000;
  const AFTER_TROUBLE_MS = 10000;
  const live = document.querySelector("[data-progress-url]");
  if (!live) return;
  const words = document.querySelector("[data-words]").dataset;
  const status = document.querySelector("[data-status]");
  const refresh = document.querySelector("[data-refresh]");
  const parts = (within) => [...within.querySelectorAll("[data-part]")];
  const names = (within) => parts(within).map((part) => part.dataset.part).join(" ");
  const over = () => Boolean(live.querySelector("[data-finished]"));
  let timer = null;

  // Part by part, so that focus, an open question and what is being read out stay where they are.
  function put(fresh) {
    if (names(fresh) !== names(live)) {
      if (!live.contains(document.activeElement)) live.replaceChildren(...fresh.childNodes);
      return;
    }
    const found = new Map(parts(fresh).map((part) => [part.dataset.part, part]));
    for (const part of parts(live)) {
      const next = found.get(part.dataset.part);
      const same = part.dataset.stand === undefined ? part.innerHTML === next.innerHTML : part.dataset.stand === next.dataset.stand;
      if (same) continue;
      const held = part.contains(document.activeElement);
      part.replaceWith(next);
      const heading = held && next.parentElement.querySelector("h3");
      if (heading) {
        heading.tabIndex = -1;
        heading.focus({ preventScroll: true });
      }
    }
    live.firstElementChild.toggleAttribute("data-finished", fresh.firstElementChild.hasAttribute("data-finished"));
  }

  async function look() {
    if (document.hidden) return soon(EACH_MS);
    try {
      const answer = await fetch(live.dataset.progressUrl, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) throw new Error("refused");
      put(new DOMParser().parseFromString(await answer.text(), "text/html").body);
    } catch (_) {
      status.textContent = words.lost;
      return soon(AFTER_TROUBLE_MS);
    }
    if (status.textContent === words.lost) status.textContent = "";
    if (over()) status.textContent = live.dataset.finishedWords;
    else soon(EACH_MS);
  }
  function soon(wait) {
    clearTimeout(timer);
    timer = setTimeout(look, wait);
  }
  if (refresh) refresh.hidden = true;
  if (!over()) soon(EACH_MS);
})();
