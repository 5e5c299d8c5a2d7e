/* The form of a call: likely entries while one types, a draft that saves itself, both ways out by key. It works without. */
(() => {
  "use strict";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const csrf = document.querySelector('meta[name="csrf"]').content;
  const LIKELY_DELAY_MS = 250;
  const DRAFT_DELAY_MS = 900;
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
  let drafting = Promise.resolve();
  let saving = 0; // drafts on their way
  let unsaved = false; // something was typed that is on no way yet
  let over = false;
  let sent = false;

  const radios = () => all('input[name="version_id"]', list);
  const chosen = () => radios().find((radio) => radio.checked);
  const post = (url, accept, more = {}) => fetch(url, {
    method: "POST", headers: { Accept: accept, "X-CSRF-Token": csrf }, credentials: "same-origin",
    body: new URLSearchParams(new FormData(form)), ...more,
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
  // One after the other: an older one that arrives late would take back what was typed since.
  function save() {
    clearTimeout(draftTimer);
    saving += 1;
    drafting = drafting.then(write).finally(() => { saving -= 1; });
    return drafting;
  }
  async function write() {
    if (!unsaved) return;
    unsaved = false;
    try {
      const answer = await post(form.dataset.draftUrl, "application/json");
      if (answer.status === 401) line.textContent = form.dataset.signedOut;
      if (!answer.ok) throw new Error(String(answer.status));
      const said = await answer.json();
      if (!form.elements.started.value) form.elements.started.value = said.started;
      if (!unsaved) line.textContent = words.saved.replace("{time}", said.saved_at);
      if (store) store.removeItem(KEPT_WORDS);
    } catch (_) {
      unsaved = true;
      if (line.textContent !== form.dataset.signedOut) line.textContent = words.kept;
      if (store) store.setItem(KEPT_WORDS, question.value);
    }
  }
  // Before the next page is asked for, or the browser is laid aside: what is not yet saved goes along.
  function leave() {
    if (!unsaved || sent) return;
    unsaved = false;
    // Only where the server cannot have it: a copy in the tab would bring a dropped call back, to whoever signs in next.
    if (store && !navigator.onLine) store.setItem(KEPT_WORDS, question.value);
    post(form.dataset.draftUrl, "application/json", { keepalive: true }).catch(() => { unsaved = true; });
  }
  window.addEventListener("beforeunload", leave);
  window.addEventListener("pagehide", leave);
  window.addEventListener("online", () => { if (unsaved) save(); });

  form.addEventListener("input", (event) => {
    const name = event.target.name;
    if (name === "version_id") return;
    touched.add(name);
    unsaved = true;
    // Said at once: "saved" would otherwise stand there for what is not.
    line.textContent = words.saving;
    clearTimeout(draftTimer);
    draftTimer = setTimeout(save, DRAFT_DELAY_MS);
    if (!["words", "phone", "asker_kind", "unit_id", "platform_module"].includes(name)) return;
    pending = true;
    clearTimeout(likelyTimer);
    likelyTimer = setTimeout(likely, LIKELY_DELAY_MS);
  });

  // Who goes on to the next field has finished this one.
  form.addEventListener("change", () => { if (unsaved) save(); });

  // A form that is sent takes its draft along: a late save would bring the call back.
  async function send(button) {
    if (over) return;
    over = true;
    clearTimeout(draftTimer);
    clearTimeout(likelyTimer);
    await drafting;
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
      return;
    }
    if (saving) {
      event.preventDefault();
      return send(event.submitter);
    }
    sent = true;
    if (store) store.removeItem(KEPT_WORDS);
  });
  window.addEventListener("pageshow", () => { over = sent = false; });

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
