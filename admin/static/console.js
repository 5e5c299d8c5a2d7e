/* Keys, drafts, presence, live lists and questions before destructive steps. Every page works without this file. */
(() => {
  "use strict";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const words = document.querySelector("[data-words]").dataset;
  const csrf = document.querySelector('meta[name="csrf"]').content;
  const status = document.querySelector("[data-status]");
  const say = (text) => { status.textContent = text; };
  const DRAFT_DELAY_MS = 800;
  const PRESENCE_MS = 15000;
  const RETRY_MS = 10000;

  const store = {
    read(key) { try { return localStorage.getItem(key); } catch (_) { return null; } },
    write(key, value) { try { localStorage.setItem(key, value); } catch (_) { /* storage is off */ } },
    drop(key) { try { localStorage.removeItem(key); } catch (_) { /* storage is off */ } },
  };

  async function post(url, fields) {
    const answer = await fetch(url, {
      method: "POST", headers: { Accept: "application/json" }, credentials: "same-origin",
      body: new URLSearchParams({ csrf, ...fields }),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  /* ---- dialogs ---- */
  for (const opener of all("[data-open-dialog]")) {
    const dialog = document.getElementById(opener.dataset.openDialog);
    if (!dialog || !dialog.showModal) continue;
    opener.hidden = false;
    opener.addEventListener("click", () => dialog.showModal());
  }
  // A menu is left the way it is entered: by key, or by looking elsewhere.
  for (const menu of all("details.menu")) {
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  }

  /* ---- a question before a destructive step ---- */
  const confirmBox = document.getElementById("confirm");
  let waiting = null; // the button whose question is open
  let agreed = null; // the button whose question was answered with yes
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-confirm]");
    if (!button || button === agreed) return;
    event.preventDefault();
    if (!confirmBox.showModal) {
      if (window.confirm(button.dataset.confirm)) proceed(button);
      return;
    }
    waiting = button;
    confirmBox.querySelector("[data-confirm-words]").textContent = button.dataset.confirm;
    const yes = confirmBox.querySelector("[data-confirm-yes]");
    yes.textContent = button.firstChild.textContent.trim() || button.textContent.trim();
    yes.className = button.classList.contains("danger") ? "button danger" : "button primary";
    confirmBox.returnValue = "no";
    confirmBox.showModal();
  });
  confirmBox.addEventListener("close", () => {
    const button = waiting;
    waiting = null;
    if (!button) return;
    button.focus();
    if (confirmBox.returnValue === "yes") proceed(button);
  });
  function proceed(button) {
    agreed = button;
    button.click();
    agreed = null;
  }

  /* ---- single keys ---- */
  const KEYS_OFF = "onewindow.keys.off";
  const keysBox = document.querySelector("[data-keys-on]");
  keysBox.checked = !store.read(KEYS_OFF);
  keysBox.addEventListener("change", () => (keysBox.checked ? store.drop(KEYS_OFF) : store.write(KEYS_OFF, "1")));
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]");

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

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      const keys = document.getElementById("keys");
      if (keys.showModal) keys.showModal();
      return;
    }
    if (!keysBox.checked || event.shiftKey) return;
    const key = event.key.toLowerCase();
    if (key === "j" || key === "k") {
      event.preventDefault();
      return move(key === "j" ? 1 : -1);
    }
    if (!/^[a-z]$/.test(key)) return;
    const row = document.activeElement.closest("[data-row]");
    const target = (row && row.querySelector(`[data-key="${key}"]`)) || document.querySelector(`[data-key="${key}"]`);
    if (!target || target.disabled) return;
    event.preventDefault();
    if (target.matches("input, textarea, select")) target.focus();
    else target.click();
  });

  /* ---- drafts: on the server, and on this machine while the server is away ---- */
  for (const area of all("textarea[data-autosave-url]")) {
    const url = area.dataset.autosaveUrl;
    const key = `onewindow.draft.${url}`;
    const line = document.getElementById(area.dataset.autosaveStatus) || status;
    let saved = area.value;
    let timer = null;
    let busy = false;

    const kept = store.read(key);
    if (kept !== null && kept !== area.value) {
      area.value = kept;
      line.textContent = words.restored;
      timer = setTimeout(save, DRAFT_DELAY_MS);
    }
    async function save() {
      if (busy) return later(DRAFT_DELAY_MS);
      const text = area.value;
      if (text === saved) return;
      busy = true;
      line.textContent = words.saving;
      try {
        const answer = await post(url, { [area.name]: text });
        saved = text;
        store.drop(key);
        line.textContent = words.saved.replace("{time}", answer.saved_at);
      } catch (_) {
        store.write(key, text);
        line.textContent = words.kept;
        later(RETRY_MS);
      } finally {
        busy = false;
      }
    }
    function later(wait) {
      clearTimeout(timer);
      timer = setTimeout(save, wait);
    }
    area.addEventListener("input", () => later(DRAFT_DELAY_MS));
    window.addEventListener("online", save);
    window.addEventListener("pagehide", () => { if (area.value !== saved) store.write(key, area.value); });
    if (area.form) area.form.addEventListener("submit", () => {
      clearTimeout(timer);
      if (!navigator.onLine) return; // the copy kept at pagehide is then the only one
      saved = area.value;
      store.drop(key);
    });
  }

  /* ---- who else is looking ---- */
  for (const place of all("[data-presence-url]")) {
    const beat = async () => {
      if (document.hidden) return;
      try {
        const { others } = await post(place.dataset.presenceUrl, {});
        const text = others.length ? words.others.replace("{names}", others.join("、")) : "";
        if (place.textContent !== text) place.textContent = text;
      } catch (_) { /* the next beat tells */ }
    };
    beat();
    setInterval(beat, PRESENCE_MS);
    document.addEventListener("visibilitychange", beat);
  }

  /* ---- lists that follow what happens ---- */
  for (const list of all("[data-live-url]")) {
    let timer = null;
    // The focused link comes back by its address; somebody typing inside the list is not disturbed.
    const swap = async () => {
      const held = list.contains(document.activeElement) ? document.activeElement : null;
      if (held && held.matches("input, textarea, select")) return soon(RETRY_MS);
      const mark = held && (held.id ? `#${CSS.escape(held.id)}` : held.getAttribute("href") ? `[href="${CSS.escape(held.getAttribute("href"))}"]` : null);
      try {
        const answer = await fetch(list.dataset.fragmentUrl, { headers: { Accept: "text/html" }, credentials: "same-origin" });
        if (!answer.ok || answer.redirected) throw new Error("refused");
        list.innerHTML = await answer.text();
      } catch (_) {
        say(words.lost);
        return soon(RETRY_MS);
      }
      const again = mark && list.querySelector(mark);
      if (again) again.focus({ preventScroll: true });
      const counted = list.querySelector("[data-count]");
      say(words.count.replace("{n}", counted ? counted.dataset.count : all("[data-row]", list).length));
    };
    const soon = (wait) => {
      clearTimeout(timer);
      timer = setTimeout(swap, wait);
    };
    const listen = () => {
      const stream = new EventSource(list.dataset.liveUrl);
      const changed = () => soon(300);
      stream.onmessage = changed;
      stream.addEventListener("change", changed);
      stream.onerror = () => {
        if (stream.readyState !== EventSource.CLOSED) return;
        // Refused for now: look by hand until the stream is given again.
        soon(RETRY_MS);
        setTimeout(listen, 3 * RETRY_MS);
      };
    };
    listen();
  }

  /* ---- how long a text is, said again with each letter ---- */
  for (const box of all("[data-counter]")) {
    const line = document.getElementById(box.dataset.counter);
    if (!line) continue;
    // The server wrote the sentence; only its first figure changes.
    box.addEventListener("input", () => { line.textContent = line.textContent.replace(/\d+/, [...box.value.trim()].length); });
  }

  for (const button of all("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
