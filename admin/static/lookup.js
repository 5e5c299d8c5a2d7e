/* The status lookup without reloads: a slip of the pen loses nothing typed, and a result does not stay. The page works without
   this file. Nothing typed is ever stored: it lives in the fields, and in one variable while a new part of the page comes in. */
(() => {
  "use strict";

  const box = document.querySelector("[data-lookup]");
  if (!box || !window.fetch) return;
  document.documentElement.classList.add("has-script");
  const words = box.dataset;
  const TIMEOUT_MS = 30000;

  /* ---- a result goes ---- */
  let until = 0;
  const leave = () => {
    box.replaceChildren();
    location.replace(words.clearedUrl);
  };
  const look = () => { if (until && Date.now() >= until) leave(); };
  function begin() {
    until = box.dataset.stage === "result" ? Date.now() + Number(words.clearAfter) * 1000 : 0;
    if (until) setTimeout(look, until - Date.now() + 50);
  }
  // A sleeping device sleeps through its timers.
  document.addEventListener("visibilitychange", look);
  // Whoever comes back by the browser's button finds neither a result nor what somebody typed.
  window.addEventListener("pagehide", () => {
    for (const field of box.querySelectorAll("[data-typed]")) field.value = "";
    if (until) box.replaceChildren();
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.replace("/lookup"); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-clear]")) return;
    event.preventDefault();
    leave();
  });

  /* ---- one part of the page takes the place of another ---- */
  let typed = {};
  const keep = () => {
    for (const field of box.querySelectorAll("[data-typed]")) typed[field.name] = field.value;
  };
  function show(part) {
    const holder = document.createElement("template");
    holder.innerHTML = part.html;
    for (const field of holder.content.querySelectorAll("[autofocus]")) field.removeAttribute("autofocus"); // focused below
    box.replaceChildren(holder.content);
    box.dataset.stage = part.stage;
    if (part.stage === "form") {
      for (const field of box.querySelectorAll("[data-typed]")) field.value = typed[field.name] || "";
    } else if (part.stage === "result") {
      typed = {};
    }
    const target = box.querySelector("[aria-invalid=true]") || box.querySelector("[data-focus]") || box.querySelector("h2");
    if (target) {
      if (!target.matches("input")) target.tabIndex = -1;
      target.focus();
    }
    if (part.stage !== "form") window.scrollTo(0, 0);
    begin();
  }

  async function send(form) {
    const button = form.querySelector("button");
    const unsent = form.querySelector("[data-unsent]");
    if (button.disabled) return;
    const label = button.textContent;
    unsent.hidden = true;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    button.textContent = words.wordBusy;
    keep();
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), TIMEOUT_MS);
    try {
      const answer = await fetch(form.action, {
        method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)),
        credentials: "same-origin", signal: patience.signal,
      });
      const part = await answer.json();
      if (!part.html) throw Object.assign(new Error("refused"), { words: part.error });
      show(part);
    } catch (problem) {
      unsent.textContent = problem.words || words.wordUnsent;
      unsent.hidden = false;
      button.disabled = false;
      button.removeAttribute("aria-busy");
      button.textContent = label;
    } finally {
      clearTimeout(timer);
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-lookup-form]")) {
      event.preventDefault();
      send(form);
      return;
    }
    // The size of the letters changes where one is: a reload would lose what was typed, or the result.
    const chosen = event.submitter;
    if (!chosen || chosen.name !== "size") return;
    event.preventDefault();
    document.documentElement.dataset.textSize = chosen.value;
    for (const other of form.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === chosen));
    const fields = new URLSearchParams(new FormData(form));
    fields.set("size", chosen.value);
    fetch(form.action, { method: "POST", body: fields, credentials: "same-origin", redirect: "manual" }).catch(() => {});
  });

  begin();
})();
