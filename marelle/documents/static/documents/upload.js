/* A chosen file leaves at once, with its progress; several pictures leave together, as the pages of one document. After a
   picture taken here, the page asks whether another page comes. Without this script the form's own button sends them all. Words come from
   the form (data-*). */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  const said = (words, values) => words.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);
  const waiting = [];
  let busy = false;

  const tell = (words) => { const place = document.getElementById("annonce"); if (place) place.textContent = words; };
  const mega = (form, bytes) => said(form.dataset.mega, { n: number.format(bytes / 1048576) });

  document.addEventListener("change", (event) => {
    const item = event.target.closest("[data-item]"), form = item?.closest("form[data-upload]");
    if (!form || !event.target.matches("[type=file], [data-first]")) return;
    const input = event.target.type === "file" ? event.target : all("[type=file]", item).find((one) => one.files.length);
    if (!input?.files.length) return;
    const files = [...input.files], heavy = files.find((file) => file.size > Number(form.dataset.most));
    const missing = all("[data-first]", item).find((one) => !one.value);
    fault(item, "");
    if (heavy) { fault(item, said(form.dataset.heavy, { size: mega(form, heavy.size) }), input); input.value = ""; return; }
    if (missing) { fault(item, form.dataset.date, missing); missing.focus(); return; }
    if (input.hasAttribute("capture") && form.dataset.next) take(form, item, input, files); else leave(form, item, input, files);
  });

  const leave = (form, item, input, files) => { waiting.push({ form, item, input, files }); next(); };

  /* Pictures taken one by one wait beside the item until they are sent together */
  const take = (form, item, input, files) => {
    const before = item.querySelector(".shots"), shots = [...(before?.shots ?? []), ...files];
    const shown = document.createElement("div"), words = document.createElement("strong");
    const button = (text, act, look) => { const one = document.createElement("button"); one.type = "button"; one.className = `btn btn--sm ${look}`; one.textContent = text; one.addEventListener("click", act); return one; };
    const go = button(form.dataset.go, () => { shown.remove(); leave(form, item, input, shots); }, "");
    shown.className = "upload shots"; shown.shots = shots;
    words.textContent = shots.length === 1 ? form.dataset.shot : said(form.dataset.shots, { n: shots.length });
    shown.append(words, go, button(form.dataset.next, () => input.click(), "btn--2"), button(form.dataset.again, () => { shown.remove(); input.focus(); }, "btn--quiet"));
    before?.remove();
    item.append(shown);
    input.value = "";
    tell(words.textContent);
    go.focus();
  };

  /* One after the other: what comes back shows the whole page as it then is */
  const next = () => {
    if (busy || !waiting.length) return;
    busy = true;
    const { form, item, input, files } = waiting.shift();
    const data = new FormData();
    for (const name of ["csrfmiddlewaretoken", "send_key"]) data.append(name, form.elements[name].value);
    data.append("item", item.dataset.item);
    all("[data-first]", item).forEach((one) => data.append(one.name, one.value));
    files.forEach((file) => data.append(input.name, file));
    const name = files.length === 1 ? files[0].name : said(form.dataset.several, { n: files.length });
    const request = new XMLHttpRequest(), shown = panel(form, item, name, () => request.abort());
    const done = (words) => { shown.remove(); item.classList.remove("is-sending"); item.removeAttribute("aria-busy"); input.value = ""; busy = false; if (words !== undefined) fault(item, words, input); next(); };
    item.classList.add("is-sending");
    item.setAttribute("aria-busy", "true");
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const bar = shown.querySelector("progress"), percent = Math.round((100 * event.loaded) / event.total);
      bar.value = percent;
      shown.querySelector(".upload__pc").textContent = percent < 100
        ? said(form.dataset.progress, { percent, done: mega(form, event.loaded), all: mega(form, event.total) })
        : form.dataset.checking;
      if (percent === 100) bar.removeAttribute("value");
    });
    request.addEventListener("load", () => {
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const fresh = page.querySelector("form[data-upload]");
      if (!fresh || ![200, 422].includes(request.status)) {
        if (request.status === 200) location.reload(); // the session is over: the door says so
        else done(form.dataset.broken);
        return;
      }
      done();
      show(page, form, item.id);
    });
    request.addEventListener("error", () => done(form.dataset.broken));
    request.addEventListener("abort", () => done());
    request.open("POST", form.action);
    request.send(data);
  };

  /* Put the page that came back in the place of this one, but for the items whose file is on its way */
  const show = (page, form, id) => {
    all("[data-live]").forEach((place) => { const fresh = page.getElementById(place.id); if (fresh) place.replaceWith(document.adoptNode(fresh)); });
    const mine = document.getElementById(id), fresh = page.getElementById(id);
    if (mine && fresh) mine.replaceWith(document.adoptNode(fresh)); else mine?.remove();
    form.elements.send_key.value = page.querySelector("form[data-upload] [name=send_key]").value;
    const wrong = document.getElementById(id)?.querySelector("[aria-invalid]");
    const said = wrong ? document.getElementById(id).querySelector(".field__error") : page.querySelector(".messages, [data-messages], .notice--ok");
    tell(said ? said.textContent.trim() : "");
    (wrong || document.getElementById("a-donner"))?.focus();
  };

  const panel = (form, item, called, stop) => {
    const shown = document.createElement("div"), name = document.createElement("strong"), bar = document.createElement("progress");
    const words = document.createElement("p"), button = document.createElement("button");
    shown.className = "upload";
    name.textContent = called;
    bar.className = "bar"; bar.max = 100; bar.value = 0; bar.setAttribute("aria-label", said(form.dataset.sending, { name: called }));
    words.className = "upload__pc";
    button.type = "button"; button.className = "btn btn--quiet btn--sm"; button.textContent = said(form.dataset.stop, { name: called });
    button.addEventListener("click", stop);
    shown.append(name, bar, words, button);
    item.append(shown);
    tell(said(form.dataset.sending, { name: called }));
    return shown;
  };

  const fault = (item, words, input) => {
    all(".field__error", item).forEach((one) => one.remove());
    all("[aria-invalid]", item).forEach((one) => { one.removeAttribute("aria-invalid"); one.removeAttribute("aria-describedby"); });
    const field = item.querySelector(".field");
    field.classList.toggle("field--error", Boolean(words));
    if (!words) return;
    const error = document.createElement("p");
    error.className = "field__error"; error.id = `e-${item.id}`; error.textContent = words;
    field.prepend(error);
    if (input) { input.setAttribute("aria-invalid", "true"); input.setAttribute("aria-describedby", error.id); }
    tell(words);
  };
})();
