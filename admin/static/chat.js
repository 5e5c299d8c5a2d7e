/* The conversation without reloads. The page works without this file; nothing here is needed to ask or to read. */
(() => {
  "use strict";

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  const page = document.querySelector("[data-chat]");
  if (!page || !window.fetch || !window.EventSource) return;
  document.documentElement.classList.add("has-script");

  const find = (selector) => page.querySelector(selector);
  const words = page.dataset;
  const log = find("[data-log]");
  const composer = find("[data-composer]");
  const box = composer.elements.text;
  const sendButton = find("[data-send-button]");
  const error = find("[data-error]");
  const hint = find("[data-hint]");
  const counter = find("[data-counter]");
  const newer = find("[data-newer]");
  const toasts = document.querySelector("[data-toasts]");
  const limit = Number(words.limit);
  const POLL_MS = 10000;
  const SEND_TIMEOUT_MS = 20000;
  const TOAST_MS = 20000;
  const TOGETHER_MS = 5000;

  /* ---- what was written and not yet sent ---- */
  // Session storage, not local: on a shared computer the words must not outlive the window.
  const KEY = "onewindow.unsent";
  const keep = {
    read() { try { return JSON.parse(sessionStorage.getItem(KEY)); } catch (_) { return null; } },
    write(value) { try { sessionStorage.setItem(KEY, JSON.stringify(value)); } catch (_) { /* storage is off */ } },
    drop() { try { sessionStorage.removeItem(KEY); } catch (_) { /* storage is off */ } },
  };
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
  let draft = { event_id: newId(), text: "" };

  // 15 or 18 digits in any spelling. Only a courtesy: the server redacts whatever comes.
  const looksLikeIdentity = (text) => /(^|\D)(\d{15}|\d{17}[\dXx])(\D|$)/.test(text.normalize("NFKC").replace(/[\s\-._·]/g, ""));
  let warnedFor = null;
  function warnIdentity() {
    const found = looksLikeIdentity(box.value);
    hint.textContent = found ? words.wordIdentity : "";
    hint.hidden = !found;
    return found;
  }

  function measure() {
    const left = limit - box.value.length;
    counter.textContent = left < 0 ? words.wordOver.replace("{n}", -left) : left <= 500 ? words.wordLeft.replace("{n}", left) : "";
    box.setAttribute("aria-invalid", String(left < 0));
    box.rows = 1;
    while (box.value && box.rows < 6 && box.scrollHeight > box.clientHeight + 2) box.rows += 1;
    return left;
  }

  box.addEventListener("input", () => {
    // An id belongs to one wording: changed words are a new event, the same words sent twice are not.
    draft = { event_id: draft.text === box.value ? draft.event_id : newId(), text: box.value };
    measure();
    if (!warnIdentity() && box.value) keep.write(draft);
    else keep.drop();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    composer.requestSubmit ? composer.requestSubmit() : sendButton.click();
  });

  /* ---- showing ---- */
  const seen = new Map(); // message id -> newest number shown
  let cursor = Number(words.last); // where the stream goes on; only the stream and the mailbox move it
  for (const article of log.querySelectorAll("[data-seq]")) seen.set(article.id, Number(article.dataset.seq));

  const newest = () => log.querySelector("article:last-of-type");
  // What came last may be several messages, as an answer and a ticket: the reader begins with the first.
  const mark = document.getElementById("newest");
  let first = mark && mark.nextElementSibling;
  let cameAt = 0;
  let followUntil = 0; // who has just sent something waits for what comes of it
  function came(article) {
    const fresh = !first || first.matches(".mine") || article.matches(".mine") || Date.now() - cameAt > TOGETHER_MS;
    if (fresh) first = article;
    cameAt = Date.now();
  }
  const begun = () => (first && first.isConnected ? first : newest());
  const atEnd = () => !newest() || begun().getBoundingClientRect().top < window.innerHeight + 40;
  function goToNewest() {
    newer.hidden = true;
    const last = newest();
    if (!last) return;
    const { scrollMarginTop: above, scrollMarginBottom: below } = getComputedStyle(last);
    const room = window.innerHeight - parseFloat(above) - parseFloat(below);
    const height = last.getBoundingClientRect().bottom - begun().getBoundingClientRect().top;
    if (height > room) begun().scrollIntoView({ block: "start" });
    else last.scrollIntoView({ block: "nearest" });
  }
  newer.firstElementChild.addEventListener("click", goToNewest);

  function place(article, seq) {
    const earlier = [...log.querySelectorAll("article")].reverse().find((other) => Number(other.dataset.seq) < seq);
    if (earlier) earlier.after(article);
    else log.prepend(article);
  }

  function show(item) {
    if (item.op === "toast") return toast(item.html);
    const key = `m-${item.id}`;
    if ((seen.get(key) || 0) >= item.seq) return false;
    seen.set(key, item.seq);
    const old = document.getElementById(key);
    if (item.op === "remove") {
      if (old) old.remove();
      return false;
    }
    const holder = document.createElement("template");
    holder.innerHTML = item.html;
    const article = holder.content.querySelector("article");
    if (!article) return false;
    const welcome = log.querySelector("[data-welcome]");
    if (welcome) welcome.remove();
    if (old) old.replaceWith(article);
    else place(article, item.seq);
    if (!old) came(article);
    else if (first === old) first = article;
    return !old;
  }

  const toasted = new Set();
  function showAll(items, { mine = false, moves = true } = {}) {
    const follow = mine || Date.now() < followUntil || atEnd();
    let added = false;
    for (const item of items) {
      if (item.op !== "toast" || !toasted.has(item.seq)) added = show(item) || added;
      if (item.op === "toast") toasted.add(item.seq);
      if (moves) cursor = Math.max(cursor, item.seq);
    }
    if (!added) return;
    if (follow) goToNewest();
    else newer.hidden = false;
  }

  function toast(html) {
    const note = document.createElement("div");
    note.className = "toast";
    note.innerHTML = html;
    toasts.append(note);
    setTimeout(() => note.remove(), TOAST_MS);
    return false;
  }

  /* ---- sending ---- */
  let failed = []; // the fields to try again, with the event id they already carry
  function fail(text, fields) {
    failed.push(fields);
    error.querySelector("[data-error-words]").textContent = text;
    error.hidden = false;
  }

  async function post(fields) {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), SEND_TIMEOUT_MS);
    try {
      const answer = await fetch(words.sendUrl, {
        method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(fields),
        credentials: "same-origin", signal: patience.signal,
      });
      const body = await answer.json();
      if (!answer.ok) throw Object.assign(new Error("refused"), { words: body.error });
      if (body.cleared) for (const old of log.querySelectorAll("article")) old.remove();
      showAll(body.items, { mine: true, moves: false });
      return true;
    } catch (problem) {
      fail(problem.words || words.wordUnsent, fields);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  let queue = Promise.resolve();
  const going = new Set(); // event ids on their way: a second press sends nothing twice
  function busy(button, yes) {
    // The composer stays open: the answer may be on the page before the request has ended, and who types on loses nothing.
    if (button !== sendButton) button.disabled = yes;
    yes ? button.setAttribute("aria-busy", "true") : button.removeAttribute("aria-busy");
    const label = button.querySelector("[data-label]");
    if (!label) return;
    label.dataset.wording ??= label.textContent;
    label.textContent = yes ? words.wordSending : label.dataset.wording;
  }
  function send(fields, button) {
    if (going.has(fields.event_id)) return;
    // Who sends anew has seen what failed; what was typed on meanwhile has not.
    if (!going.size) {
      failed = [];
      error.hidden = true;
    }
    going.add(fields.event_id);
    cameAt = 0;
    followUntil = Date.now() + TOGETHER_MS;
    busy(button, true);
    queue = queue.then(async () => {
      const sent = await post(fields);
      going.delete(fields.event_id);
      busy(button, button === sendButton && going.size > 0);
      // Only what was sent leaves the box: more may have been typed meanwhile.
      if (sent && fields.event_id === draft.event_id) {
        if (box.value === fields.text) box.value = "";
        draft = { event_id: newId(), text: box.value };
        keep.drop();
        measure();
      }
    });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-leave]")) keep.drop();
    if (!form.matches("[data-send]")) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    fields.csrf = document.querySelector('meta[name="csrf"]').content; // a streamed fragment may carry an older one
    // The button under a message that asks where one is: what it sends is of use without a position only.
    if (locatable && fields.action === locate.dataset.action) return askWhere(form.querySelector("button"));
    if (form !== composer) {
      const quick = find("[data-quick]");
      if (form.closest("[data-quick]") && !wide.matches) quick.open = false;
      return send({ ...fields, event_id: newId() }, form.querySelector("button"));
    }
    if (!box.value.trim()) {
      hint.textContent = words.wordBlank;
      hint.hidden = false;
    }
    if (!box.value.trim() || measure() < 0) return;
    if (warnIdentity() && warnedFor !== box.value) {
      warnedFor = box.value;
      return;
    }
    hint.hidden = true;
    draft = { event_id: draft.event_id, text: box.value };
    send({ ...fields, text: draft.text, event_id: draft.event_id }, sendButton);
  });
  /* ---- the link of a QR code, and where the visitor is: each sent once, the second only on a tap ---- */
  const arrival = find("[data-arrival]");
  if (arrival) {
    const { start, event_id } = Object.fromEntries(new FormData(arrival));
    const csrf = document.querySelector('meta[name="csrf"]').content;
    arrival.hidden = true;
    find("[data-quick]").open = window.matchMedia("(min-width: 64rem)").matches;
    // Without it a reload, or the browser coming back to this page, would begin once more.
    history.replaceState(null, "", "/");
    send({ csrf, event_id, start }, arrival.querySelector("button"));
  }

  const locate = find("[data-locate]");
  const locatable = locate && navigator.geolocation && window.isSecureContext;
  function askWhere(button) {
    const label = button.querySelector("[data-label]") || button;
    const wording = label.textContent;
    const rest = () => { label.textContent = wording; button.disabled = false; };
    const away = (problem) => {
      rest();
      hint.textContent = problem.code === problem.PERMISSION_DENIED ? locate.dataset.wordRefused : locate.dataset.wordFailed;
      hint.hidden = false;
    };
    const here = ({ coords }) => {
      rest();
      // To a hundred metres: enough to find what is near, and no more than that is told.
      const [latitude, longitude] = [coords.latitude, coords.longitude].map((degrees) => degrees.toFixed(3));
      const csrf = document.querySelector('meta[name="csrf"]').content;
      send({ csrf, event_id: newId(), latitude, longitude }, button);
    };
    hint.hidden = true;
    button.disabled = true;
    label.textContent = locate.dataset.wordAsking;
    navigator.geolocation.getCurrentPosition(here, away, { maximumAge: 60000, timeout: 15000 });
  }
  if (locatable) {
    locate.hidden = false;
    locate.querySelector("button").addEventListener("click", (event) => askWhere(event.currentTarget));
  }

  find("[data-retry]").addEventListener("click", (event) => {
    const again = failed;
    for (const fields of again) send(fields, event.currentTarget);
  });

  /* ---- receiving: one stream for all windows of this visitor, the others ask every ten seconds ---- */
  let stream = null;
  function listen() {
    stream = new EventSource(`${words.streamUrl}?after=${cursor}`);
    stream.addEventListener("item", (event) => showAll([JSON.parse(event.data)]));
    stream.onerror = () => {
      // While it is CONNECTING the browser tries again by itself; CLOSED means the server refused.
      if (stream.readyState !== EventSource.CLOSED) return;
      stream = null;
      setTimeout(listen, 6 * POLL_MS);
    };
  }
  async function ask() {
    if ((stream && stream.readyState === EventSource.OPEN) || document.hidden) return;
    try {
      const answer = await fetch(`${words.mailboxUrl}?after=${cursor}`, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (answer.ok) showAll((await answer.json()).items);
    } catch (_) { /* the next round asks again */ }
  }
  setInterval(ask, POLL_MS);
  document.addEventListener("visibilitychange", ask);
  // The lock is held until this window closes; then the next one opens the stream.
  if (navigator.locks) navigator.locks.request("onewindow.chat.stream", () => { listen(); return new Promise(() => {}); });
  else listen();

  /* ---- the line, and the first look ---- */
  const offline = find("[data-offline]");
  const line = () => { offline.hidden = navigator.onLine; if (navigator.onLine) ask(); };
  window.addEventListener("online", line);
  window.addEventListener("offline", line);
  offline.hidden = navigator.onLine;

  const wide = window.matchMedia("(min-width: 64rem)");
  if (newest() && !wide.matches) find("[data-quick]").open = false;
  const kept = keep.read();
  if (kept && kept.text && !box.value) {
    draft = kept;
    box.value = kept.text;
    hint.textContent = words.wordKept;
    hint.hidden = false;
  }
  measure();
  goToNewest();
})();
