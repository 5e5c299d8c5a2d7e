/* The page of a ticket: drafts that save themselves, who else is here, macros, one send for one click. It works without. */
(() => {
  "use strict";

  const words = document.querySelector("[data-words]").dataset;
  const csrf = document.querySelector('meta[name="csrf"]').content;
  const DRAFT_DELAY_MS = 800;
  const PRESENCE_MS = 15000;
  const RETRY_MS = 10000;
  const KEPT = ["text", "basis", "version_id"];

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
    if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { overtaken: answer.status === 409 });
    return answer.json();
  }

  const form = document.querySelector("[data-answer-form]");
  if (form) {
    const area = form.elements.namedItem("text");
    const url = area.dataset.autosaveUrl;
    const line = document.getElementById(area.dataset.autosaveStatus);
    const told = form.querySelector("[data-differences]");
    const key = `onewindow.draft.${url}`;
    // A copy from before the answer came back from its reviewer would hide what the reviewer has read.
    const stamp = `${form.dataset.returned}\n`;
    const keep = (text) => { if (!overtaken) store.write(key, stamp + text); };
    const typed = () => Object.fromEntries(KEPT.map((name) => [name, form.elements.namedItem(name).value]));
    let saved = JSON.stringify(typed());
    let timer = null;
    let busy = false;
    let sent = false;
    let overtaken = false;

    const kept = store.read(key);
    if (kept !== null && !kept.startsWith(stamp)) store.drop(key);
    else if (kept !== null && kept.slice(stamp.length) !== area.value) {
      area.value = kept.slice(stamp.length);
      line.textContent = words.restored;
      later(DRAFT_DELAY_MS);
    }

    async function save() {
      if (busy) return later(DRAFT_DELAY_MS);
      const fields = typed();
      const now = JSON.stringify(fields);
      if (sent) return;
      if (now === saved) return line.textContent = "";
      busy = true;
      line.textContent = words.saving;
      try {
        const answer = await post(url, { ...fields, version: form.elements.namedItem("version").value });
        saved = now;
        overtaken = false;
        store.drop(key);
        if (JSON.stringify(typed()) === saved) line.textContent = words.saved.replace("{time}", answer.saved_at);
        tell(answer.differences || []);
      } catch (failure) {
        if (failure.overtaken) {
          // Told and not tried again by itself; what is typed comes back on the page that refuses to send it.
          overtaken = true;
          store.drop(key);
          return line.textContent = form.dataset.old;
        }
        keep(fields.text);
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
    // The server words each difference; the explanation is asked for when the answer is sent.
    function tell(differences) {
      const list = document.createElement("ul");
      for (const words_ of differences) {
        const item = document.createElement("li");
        item.textContent = words_;
        list.append(item);
      }
      told.replaceChildren(...(differences.length ? [list] : []));
      told.className = differences.length ? "notice tone-danger" : "";
    }
    for (const name of KEPT) form.elements.namedItem(name).addEventListener("input", () => {
      // Said at once: "saved" would otherwise stand there for what is not.
      line.textContent = words.saving;
      later(DRAFT_DELAY_MS);
    });
    window.addEventListener("online", save);
    window.addEventListener("pagehide", () => { if (!sent && JSON.stringify(typed()) !== saved) keep(area.value); });
    window.addEventListener("pageshow", () => { sent = false; });
    form.addEventListener("submit", (event) => {
      // A second click while the first is under way sends nothing; the server would say so as well.
      if (sent) return event.preventDefault();
      clearTimeout(timer);
      if (!navigator.onLine) return; // the copy kept at pagehide is then the only one
      sent = true;
      store.drop(key);
    });

    /* ---- macros: put in where one types ---- */
    const macros = form.querySelector("[data-macros]");
    let visited = false;
    area.addEventListener("focus", () => { visited = true; });
    if (macros) {
      const put = () => {
        const chosen = macros.selectedOptions[0];
        if (!chosen || !chosen.dataset.text) return;
        // Who has not been in the box yet has no place in it: then it goes behind what stands there.
        if (!visited && area.value) area.setRangeText(`\n${chosen.dataset.text}`, area.value.length, area.value.length, "end");
        else area.setRangeText(chosen.dataset.text, area.selectionStart, area.selectionEnd, "end");
        macros.value = "";
        area.focus();
        later(DRAFT_DELAY_MS);
      };
      form.querySelector("[data-macro-put]").addEventListener("click", (event) => { event.preventDefault(); put(); });
      macros.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); put(); } });
    }
  }

  /* ---- who else is here, and whether the page has grown old ---- */
  for (const place of document.querySelectorAll("[data-presence-url]")) {
    const beat = async () => {
      if (document.hidden) return;
      try {
        const { others, writing, changed } = await post(place.dataset.presenceUrl, { version: place.dataset.version });
        const names = (some) => some.join("、");
        const lines = [];
        if (changed) lines.push(changed);
        if (writing) lines.push(words.writing.replace("{names}", names(writing)));
        const looking = others.filter((name) => !(writing || []).includes(name));
        if (looking.length) lines.push(words.others.replace("{names}", names(looking)));
        const text = lines.join(" · ");
        if (place.textContent !== text) place.textContent = text;
      } catch (_) { /* the next beat tells */ }
    };
    beat();
    setInterval(beat, PRESENCE_MS);
    document.addEventListener("visibilitychange", beat);
  }
})();
