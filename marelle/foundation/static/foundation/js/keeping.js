/* What is ticked is kept: sent to the basket a moment after, before leaving, and kept on this device while it cannot be.
   Words come from the page (data-*, templates), never from here. docs/algorithms/baskets.md tells the whole of it. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-keep]");
  /* A page that an agent only looks at keeps nothing: neither the server nor this device is the family's */
  if (!form?.dataset.owner || "seen" in document.documentElement.dataset) return;
  const MOMENT = 1200, PATIENCE = 8000, AGAIN = 20000, WEEK = 7 * 24 * 3600 * 1000;
  const boxes = () => [...form.querySelectorAll('.tile > input[type="checkbox"]')];
  const shown = new Map([...form.querySelectorAll('[name="seen"]')].flatMap((input) => input.value.split(/\s+/)).map((pair) => pair.split("=")));

  /* What the server knows of each box; what it may know, after an answer that never came */
  const known = new Map(boxes().map((box) => [box.value, box.checked]));
  const unsure = new Set();
  const waiting = () => boxes().filter((box) => box.checked !== known.get(box.value) || unsure.has(box.value));

  /* On this device: only the boxes that changed, for a page shows days that another device may have changed since */
  const prefix = `marelle.choix.${form.dataset.owner} `, here = prefix + form.dataset.page;
  const device = {
    works: true,
    /* The same choices have the same number: the server does not take up twice what it has had, however late it comes */
    number: "", says: "",
    write(list) {
      const value = { at: Date.now(), seen: list.map((box) => `${box.value}=${shown.get(box.value) || "free"}`), want: list.filter((box) => box.checked).map((box) => box.value) };
      const says = JSON.stringify([value.seen, value.want]);
      if (says !== this.says) { this.says = says; this.number = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 12)}`; }
      value.number = this.number;
      try { localStorage.setItem(here, JSON.stringify(value)); this.works = true; } catch { this.works = false; }
    },
    forget(key) { try { localStorage.removeItem(key); } catch { this.works = false; } },
    left() {
      try {
        return Object.keys(localStorage).filter((key) => key.startsWith(prefix)).map((key) => {
          try { return { key, ...JSON.parse(localStorage.getItem(key)) }; } catch { return { key, at: 0 }; }
        }).filter((one) => {
          const good = Date.now() - one.at < WEEK && Array.isArray(one.seen) && Array.isArray(one.want);
          if (!good) this.forget(one.key);
          return good;
        });
      } catch { this.works = false; return []; }
    },
  };

  /* What is told when choices cannot reach the server, and when they have at last */
  const home = document.querySelector("[data-keeping]");
  let told = "";
  const tell = (what) => {
    if (what === told) return;
    told = what;
    const words = what && document.querySelector(`template[data-keeping-words="${what === "offline" && !device.works ? "nowhere" : what}"]`);
    home?.replaceChildren(...(words ? [words.content.cloneNode(true)] : []));
    if (what === "back") setTimeout(() => { if (told === "back") tell(""); }, 8000);
  };

  const data = (seen, want, number, extra = "") => {
    const body = new FormData(form);
    ["seen", "want"].forEach((name) => body.delete(name));
    seen.forEach((one) => body.append("seen", one));
    want.forEach((one) => body.append("want", one));
    body.append("number", number || "");
    body.append("do", `keep${extra}`);
    return body;
  };
  /* "kept", or why not: "offline", "down", "over" (nobody is signed in), "stale" (the page is too old to be believed) */
  const post = (address, body) => fetch(address, { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) }).then(
    (answer) => (answer.status === 204 ? "kept" : answer.type === "opaqueredirect" ? "over" : answer.status >= 500 ? "down" : "stale"),
    () => "offline",
  );

  let timer, retry, saving = null;
  const later = () => { clearTimeout(retry); retry = setTimeout(() => save(), AGAIN); };
  /* One at a time, so that what was ticked last arrives last; resolves with how it went */
  const save = () => {
    clearTimeout(timer);
    clearTimeout(retry);
    if (saving) return saving.then((how) => (how === "kept" && waiting().length ? save() : how));
    const list = waiting();
    if (!list.length) return Promise.resolve("kept");
    const sent = new Map(list.map((box) => [box.value, box.checked]));
    sent.forEach((_, key) => unsure.add(key));
    device.write(list);
    saving = post(form.dataset.keep, data([...sent.keys()].map((key) => `${key}=${shown.get(key) || "free"}`), [...sent].filter(([, on]) => on).map(([key]) => key), device.number)).then((how) => {
      saving = null;
      if (how === "kept") {
        sent.forEach((on, key) => { known.set(key, on); unsure.delete(key); });
        if (waiting().length) device.write(waiting()); else device.forget(here);
        tell(told && told !== "back" ? "back" : "");
      } else {
        tell(how);
        if (how === "offline" || how === "down") later();
      }
      return how;
    });
    return saving;
  };
  /* Another script wants them kept before it asks the server of them */
  form.addEventListener("keep", () => save().then((how) => { if (how === "kept") form.dispatchEvent(new Event("kept")); }));
  const noticed = () => setTimeout(() => {
    const list = waiting();
    if (!list.length) { if (!saving) device.forget(here); return; }
    device.write(list);
    clearTimeout(timer);
    timer = setTimeout(save, MOMENT);
  });
  form.addEventListener("change", noticed);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keeping-retry]")) { told = "retry"; home?.replaceChildren(); save(); return; }
    if (event.target.closest('button[name="do"][data-scope]')) noticed();
  });
  window.addEventListener("online", () => { if (waiting().length) save(); });
  window.addEventListener("offline", () => { if (waiting().length) tell("offline"); });

  /* Before leaving, what is ticked goes to the server. Without a connection the page stays, and says so. */
  const stays = (how) => how === "offline" || how === "down";
  let leaving = false;
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || (!waiting().length && !saving)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target, submitter } = event;
    save().then((how) => {
      if (stays(how)) { target.closest("dialog")?.close(); return; }
      if (how !== "kept") { known.clear(); unsure.clear(); boxes().forEach((box) => known.set(box.value, box.checked)); }
      target.requestSubmit(submitter);
    });
  }, true);
  document.addEventListener("submit", (event) => { if (!event.defaultPrevented) leaving = true; });
  window.addEventListener("pageshow", (event) => {
    leaving = false;
    // A page taken out of the browser's drawer says what the basket was when it was left.
    if (event.persisted && !waiting().length) location.reload();
  });
  window.addEventListener("pagehide", () => {
    const list = waiting();
    if (leaving || !list.length) return;
    device.write(list);
    navigator.sendBeacon(form.dataset.keep, data(list.map((box) => `${box.value}=${shown.get(box.value) || "free"}`), list.filter((box) => box.checked).map((box) => box.value), device.number));
  });
  /* The browser's own question, only while something would be lost: neither the server nor this device has it */
  window.addEventListener("beforeunload", (event) => { if (!leaving && waiting().length && !device.works && told === "offline") event.preventDefault(); });

  /* A link waits for the boxes to be kept. Out of the plannings, what is not sent is recalled, once for each number of changes. */
  const reminder = document.getElementById("partir");
  const recalled = () => { try { return sessionStorage.getItem("marelle.partir"); } catch { return null; } };
  const recall = (link) => {
    const count = reminder?.dataset.unsent || "0";
    if (!reminder?.showModal || !Number(count) || link.pathname.startsWith(reminder.dataset.within) || recalled() === count) return false;
    try { sessionStorage.setItem("marelle.partir", count); } catch { /* asked again, then */ }
    reminder.querySelector("[data-leave]").href = link.href;
    reminder.showModal();
    return true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.origin !== location.origin || (link.hash && link.pathname === location.pathname && link.search === location.search)) return;
    if (!("leave" in link.dataset) && recall(link)) { event.preventDefault(); save(); return; }
    if (!waiting().length && !saving) return;
    event.preventDefault();
    save().then((how) => { if (stays(how)) link.closest("dialog")?.close(); else location.href = link.href; });
  });

  /* What an earlier page had to leave on this device goes now, before anything else is ticked */
  const found = device.left();
  if (found.length) (async () => {
    for (const [at, one] of found.entries()) {
      const address = new URL(one.key.slice(prefix.length), location.origin);
      const body = data(one.seen, one.want, one.number, at === found.length - 1 ? ":device" : "");
      ["vue", "mois", "semaine", "periode", "lieu", "enfant"].forEach((name) => body.delete(name));
      address.searchParams.forEach((value, name) => body.set(name, value));
      const how = await post(address.pathname, body);
      if (how !== "kept" && how !== "stale") {
        const wanted = new Set(one.want);
        if (one.key === here) boxes().forEach((box) => {
          const says = one.seen.some((pair) => pair.startsWith(`${box.value}=`));
          if (says && box.checked !== wanted.has(box.value)) box.click();
        });
        tell(how);
        if (stays(how)) later();
        return;
      }
      device.forget(one.key);
    }
    if (!waiting().length) location.reload();
  })();
})();
