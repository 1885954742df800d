"use strict";
// Keeps what is marked `data-live` as the server has it now. Everything works without this: reload the page.
(() => {
  const main = document.querySelector("main");
  const said = document.getElementById("said");
  if (!main || !said) return;
  const sources = new WeakMap();
  const source = (node) => sources.get(node) ?? node.outerHTML;
  for (const node of document.querySelectorAll("[data-live], [data-live='list'] > *")) {
    sources.set(node, node.outerHTML);
  }

  function put(old, fresh) {
    const text = fresh.outerHTML;
    if (source(old) === text) return old;
    const copy = document.importNode(fresh, true);
    sources.set(copy, text);
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    copy.querySelectorAll("details").forEach((one, at) => { one.open = open[at] ?? false; });
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const place = focused ? [...old.querySelectorAll("a, summary, pre, button")].indexOf(focused) : -1;
    old.replaceWith(copy);
    if (place >= 0) copy.querySelectorAll("a, summary, pre, button")[place]?.focus({ preventScroll: true });
    return copy;
  }

  function putList(old, fresh) {
    const mine = new Map([...old.children].map((child) => [child.id, child]));
    let at = old.firstElementChild;
    for (const child of fresh.children) {
      const known = mine.get(child.id);
      mine.delete(child.id);
      if (!known) {
        const copy = document.importNode(child, true);
        sources.set(copy, child.outerHTML);
        old.insertBefore(copy, at);
      } else {
        const kept = put(known, child);
        if (known === at) at = kept;
        if (kept === at) at = kept.nextElementSibling;
        else old.insertBefore(kept, at);
      }
    }
    for (const gone of mine.values()) gone.remove();
  }

  const words = () => [...document.querySelectorAll("[data-said]")].map((one) => one.dataset.said).join(" ");
  let busy = false;
  let again = false;
  let wanted = 0; // the number of the last event that was told of: the page may be behind

  async function renew() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    try {
      const answer = await fetch(location.href, { headers: { "x-renewal": "1" }, cache: "no-store" });
      if (answer.status === 401) {
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(`${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const before = words();
      for (const old of document.querySelectorAll("[data-live]")) {
        const fresh = page.getElementById(old.id);
        if (!fresh) continue;
        if (old.dataset.live === "list") putList(old, fresh);
        else put(old, fresh);
      }
      document.body.classList.remove("cut-off");
      again ||= Number(page.querySelector("[data-last]")?.dataset.last ?? wanted) < wanted;
      if (words() !== before) said.textContent = words();
    } catch {
      document.body.classList.add("cut-off");
    } finally {
      busy = false;
    }
    if (again) setTimeout(renew, 150);
  }

  if (main.dataset.events) {
    document.body.classList.add("live");
    const stream = new EventSource(main.dataset.events);
    let waiting = 0;
    stream.addEventListener("news", (news) => {
      wanted = Number(news.data);
      clearTimeout(waiting);
      waiting = setTimeout(renew, 80);
    });
    stream.addEventListener("end", () => {
      stream.close();
      document.body.classList.remove("live");
      clearTimeout(waiting);
      waiting = setTimeout(renew, 80);
    });
    stream.addEventListener("error", () => document.body.classList.toggle("cut-off", stream.readyState === 2));
  }
  if (main.dataset.renew) {
    setInterval(() => { if (!document.hidden) renew(); }, 1000 * Number(main.dataset.renew));
  }
})();
