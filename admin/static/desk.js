/* Keys of the console: single keys, a new call, the palette. Every page works without this file. */
(() => {
  "use strict";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  /* ---- single keys ---- */
  const KEYS_OFF = "onewindow.keys.off";
  const keysBox = document.querySelector("[data-keys-on]");
  const kept = (() => { try { return localStorage; } catch (_) { return null; } })();
  keysBox.checked = !(kept && kept.getItem(KEYS_OFF));
  keysBox.addEventListener("change", () => {
    if (kept) keysBox.checked ? kept.removeItem(KEYS_OFF) : kept.setItem(KEYS_OFF, "1");
  });
  const FIELDS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";
  const typing = (target) => target.closest(FIELDS) || document.querySelector("dialog[open]");

  function move(step) {
    const rows = all("[data-row]");
    if (!rows.length) return;
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const row = rows[here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + step))];
    // Real focus on the row's link: Enter then opens it without any help from here.
    const link = row.querySelector("[data-open], a, button") || row;
    link.focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function single(key) {
    const row = document.activeElement.closest("[data-row]");
    const target = (row && row.querySelector(`[data-key="${key}"]`)) || document.querySelector(`[data-key="${key}"]`);
    if (!target || target.disabled) return false;
    // A mark is set where one is; a field is gone into; anything else is pressed.
    if (target.matches(FIELDS)) target.focus();
    else target.click();
    return true;
  }

  function sheet() {
    const keys = document.getElementById("keys");
    if (keys.showModal) keys.showModal();
    else location.assign("/admin/keys");
  }

  /* ---- a new call, from wherever one is ---- */
  const opener = document.querySelector("[data-new-call]");
  // What is typed here and kept nowhere else must not be lost to the telephone.
  const onlyHere = () => all("main form[method=post] :is(input[type=text], input[type=search], input:not([type]), textarea)")
    .some((field) => field.value !== field.defaultValue && !field.matches("[data-autosave-url]"));
  function newCall() {
    if (!opener) return;
    const question = document.querySelector("[data-question]");
    if (question) return question.focus();
    if (onlyHere() && window.open(opener.href, "_blank")) return;
    location.assign(opener.href);
  }

  /* ---- the palette ---- */
  const palette = document.getElementById("palette");
  const place = palette && palette.querySelector("[data-go-list]");
  const query = palette && palette.querySelector("input");
  let asked = 0;
  async function look() {
    const number = ++asked;
    try {
      const answer = await fetch(`/admin/go/list?q=${encodeURIComponent(query.value)}`, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected || number !== asked) return;
      place.innerHTML = await answer.text();
      step(0);
    } catch (_) { /* the page behind the form still works */ }
  }
  function step(by) {
    const links = all("[data-go]", place);
    if (!links.length) return;
    const here = links.findIndex((link) => link.classList.contains("is-next"));
    const next = here < 0 ? 0 : (here + by + links.length) % links.length;
    links.forEach((link, number) => link.classList.toggle("is-next", number === next));
    links[next].scrollIntoView({ block: "nearest" });
  }
  function goSomewhere() {
    if (!palette || !palette.showModal) return location.assign("/admin/go");
    if (palette.open) return palette.close();
    if (document.querySelector("dialog[open]")) return;
    palette.showModal();
    query.select();
    look();
  }
  if (palette) {
    query.addEventListener("input", look);
    query.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        step(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter") {
        const link = place.querySelector(".is-next");
        if (!link) return;
        event.preventDefault();
        link.click();
      }
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey) {
      if (event.code === "KeyK" && opener) {
        event.preventDefault();
        newCall();
      } else if (event.code === "Slash") {
        event.preventDefault();
        goSomewhere();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || typing(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      return sheet();
    }
    if (!keysBox.checked || event.shiftKey) return;
    const key = event.key.toLowerCase();
    if (key === "/") {
      event.preventDefault();
      return goSomewhere();
    }
    if (key === "j" || key === "k") {
      event.preventDefault();
      return move(key === "j" ? 1 : -1);
    }
    if (/^[a-z]$/.test(key) && single(key)) event.preventDefault();
  });
})();
