/* Dialogs, live lists, and questions before what cannot be taken back; keys are in desk.js. Every page works without this file. */
(() => {
  "use strict";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const words = document.querySelector("[data-words]").dataset;
  const status = document.querySelector("[data-status]");
  const say = (text) => { status.textContent = text; };
  const RETRY_MS = 10000;

  const store = {
    read(key) { try { return localStorage.getItem(key); } catch (_) { return null; } },
    write(key, value) { try { localStorage.setItem(key, value); } catch (_) { /* storage is off */ } },
    drop(key) { try { localStorage.removeItem(key); } catch (_) { /* storage is off */ } },
  };

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

  /* ---- a question before what was typed is left behind ---- */
  for (const form of all("form[data-guard]")) {
    const held = () => new URLSearchParams(new FormData(form)).toString();
    // After a refusal what stands there was typed before, and nothing of it is stored.
    const stored = form.dataset.guard === "typed" ? null : held();
    let sent = false;
    form.addEventListener("submit", (event) => { sent = !event.defaultPrevented; });
    window.addEventListener("pageshow", () => { sent = false; });
    window.addEventListener("beforeunload", (event) => { if (!sent && held() !== stored) event.preventDefault(); });
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
