/* Keys of the console: single keys, a new call, the palette; and the form of a call. Every page works without this file. */
(() => {
  "use strict";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const csrf = document.querySelector('meta[name="csrf"]').content;
  const LIKELY_DELAY_MS = 250;
  const DRAFT_DELAY_MS = 900;

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
  const unsaved = () => all("main form[method=post] :is(input[type=text], input[type=search], input:not([type]), textarea)")
    .some((field) => field.value !== field.defaultValue && !field.matches("[data-autosave-url]"));
  function newCall() {
    if (!opener) return;
    const question = document.querySelector("[data-question]");
    if (question) return question.focus();
    if (unsaved() && window.open(opener.href, "_blank")) return;
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

  /* ---- the form of a call ---- */
  const form = document.querySelector("form[data-call]");
  if (!form) return;
  const question = form.querySelector("[data-question]");
  const list = form.querySelector("[data-likely]");
  const line = form.querySelector("[data-call-status]");
  const heard = form.querySelector("[data-likely-said]");
  const words = document.querySelector("[data-words]").dataset;
  const KEPT_WORDS = "onewindow.call.words";
  const store = (() => { try { return sessionStorage; } catch (_) { return null; } })();
  const touched = new Set();
  let pending = false;
  let turn = 0;
  let likelyTimer = null;
  let draftTimer = null;
  let drafting = null;
  let over = false;

  const radios = () => all('input[name="version_id"]', list);
  const chosen = () => radios().find((radio) => radio.checked);
  const post = (url, accept) => fetch(url, {
    method: "POST", headers: { Accept: accept, "X-CSRF-Token": csrf }, credentials: "same-origin",
    body: new URLSearchParams(new FormData(form)),
  });

  function choose(by, exact) {
    const rows = radios();
    if (!rows.length) return;
    const here = rows.findIndex((radio) => radio.checked);
    const next = exact === undefined ? Math.min(rows.length - 1, Math.max(0, here + by)) : exact;
    if (!rows[next]) return;
    rows[next].checked = true;
    rows[next].closest("[data-choice]").scrollIntoView({ block: "nearest" });
  }

  function preset() {
    const facts = list.querySelector("[data-outcome]");
    if (!facts) return;
    for (const name of ["why", "group"]) {
      const field = form.elements[name];
      if (!touched.has(name) && facts.dataset[name]) field.value = facts.dataset[name];
    }
  }

  async function likely() {
    const number = ++turn;
    pending = true;
    try {
      const answer = await post(form.dataset.likelyUrl, "text/html");
      if (number !== turn) return;
      if (answer.status === 401) line.textContent = form.dataset.signedOut;
      if (answer.ok && !answer.redirected) {
        list.innerHTML = await answer.text();
        preset();
        // Told in one sentence: the whole list would be read out after every pause.
        const facts = list.querySelector("[data-outcome]");
        const first = chosen();
        heard.textContent = facts ? `${facts.textContent} ${first ? first.closest("label").textContent.trim() : ""}` : "";
      }
    } catch (_) { /* the button for looking still works */ } finally {
      if (number === turn) pending = false;
    }
  }

  // On the server, sealed, one for each person; while the server is away the question alone in this tab.
  function save() {
    clearTimeout(draftTimer);
    drafting = (async () => {
      line.textContent = words.saving;
      try {
        const answer = await post(form.dataset.draftUrl, "application/json");
        if (answer.status === 401) line.textContent = form.dataset.signedOut;
        if (!answer.ok) throw new Error(String(answer.status));
        const said = await answer.json();
        if (!form.elements.started.value) form.elements.started.value = said.started;
        line.textContent = words.saved.replace("{time}", said.saved_at);
        if (store) store.removeItem(KEPT_WORDS);
      } catch (_) {
        if (line.textContent !== form.dataset.signedOut) line.textContent = words.kept;
        if (store) store.setItem(KEPT_WORDS, question.value);
      }
    })();
    return drafting;
  }

  form.addEventListener("input", (event) => {
    const name = event.target.name;
    if (name === "version_id") return;
    touched.add(name);
    clearTimeout(draftTimer);
    draftTimer = setTimeout(save, DRAFT_DELAY_MS);
    if (!["words", "phone", "asker_kind", "unit_id", "platform_module"].includes(name)) return;
    pending = true;
    clearTimeout(likelyTimer);
    likelyTimer = setTimeout(likely, LIKELY_DELAY_MS);
  });

  // A form that is sent takes its draft along: a late save would bring the call back.
  async function send(button) {
    if (over) return;
    over = true;
    clearTimeout(draftTimer);
    clearTimeout(likelyTimer);
    if (drafting) await drafting;
    if (store) store.removeItem(KEPT_WORDS);
    form.requestSubmit(button);
    if (!form.checkValidity()) over = false;
  }
  form.addEventListener("submit", (event) => {
    clearTimeout(draftTimer);
    if (event.submitter && event.submitter.matches("[data-spot]") && (pending || !chosen())) {
      event.preventDefault();
      over = false;
      if (pending) spot();
      else line.textContent = form.dataset.choose;
    }
  });
  window.addEventListener("pageshow", () => { over = false; });

  const press = (selector) => {
    const button = form.querySelector(selector);
    if (button) send(button);
  };

  // An answer belongs to the list that the officer has seen: an outdated one is made anew first.
  async function spot() {
    if (pending) {
      const before = chosen();
      line.textContent = form.dataset.wait;
      clearTimeout(likelyTimer);
      await likely();
      const fresh = chosen();
      if (pending) return;
      if (!before || !fresh || before.value !== fresh.value) {
        line.textContent = fresh ? form.dataset.changed : form.dataset.choose;
        return;
      }
    }
    press("[data-spot]");
  }
  form.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.altKey || event.metaKey) return;
    const inQuestion = event.target === question;
    const atEnd = inQuestion && question.selectionStart === question.value.length;
    if (event.key === "F8" || (event.key === "Enter" && event.ctrlKey && event.shiftKey)) {
      event.preventDefault();
      press("[data-owe]");
    } else if (event.key === "F9") {
      event.preventDefault();
      press("[data-append]");
    } else if (event.key === "Enter" && !event.shiftKey && (event.ctrlKey || inQuestion || event.target.matches('input[name="version_id"]'))) {
      event.preventDefault();
      spot();
    } else if (atEnd && !event.shiftKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.target.matches('input[name="version_id"]') && /^[1-9]$/.test(event.key)) {
      event.preventDefault();
      choose(0, Number(event.key) - 1);
      const now = chosen();
      if (now) now.focus();
    }
  });

  for (const button of all("[data-label-key]", form)) {
    const mark = document.createElement("kbd");
    mark.textContent = button.dataset.labelKey;
    mark.setAttribute("aria-hidden", "true");
    button.append(" ", mark);
  }
  form.querySelector("[data-find]").hidden = true;
  const lost = store && store.getItem(KEPT_WORDS);
  if (lost && !question.value) {
    question.value = lost;
    line.textContent = words.restored;
    likely();
  }
  question.focus();
  question.setSelectionRange(question.value.length, question.value.length);
})();
