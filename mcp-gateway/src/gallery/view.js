
"use strict";
// Speaks the View's side of MCP Apps (revision 2026-01-26): JSON-RPC by postMessage with the host around.
// Everything in a result was written by others: it becomes text, attributes that hold text, or a picture
// of a known kind as a data: address.

const REVISION = "2026-01-26";
const WIDTH = 512;
const SHOWN_AT_ONCE = 3;
const KINDS = ["image/jpeg", "image/png", "image/webp"];
const WORDS = {
  es: {
    title: "Imágenes de campaña",
    waiting: "Buscando imágenes…",
    score: "Afinidad",
    none: "Sin vista previa",
    failed: "La búsqueda no dio resultado.",
    cancelled: "La búsqueda se canceló.",
  },
  en: {
    title: "Campaign images",
    waiting: "Looking for images…",
    score: "Score",
    none: "No preview",
    failed: "The search gave no result.",
    cancelled: "The search was cancelled.",
  },
};

const root = document.documentElement;
const main = document.querySelector("main");
const heading = document.querySelector("h1");
const status = document.querySelector("[role=status]");
const list = document.querySelector("main > ul");
let host = {};
let words = WORDS.en;
let rendering = 0;

// The host

const waiting = new Map();
let lastId = 0;

function send(message) {
  // A sandboxed page cannot know its host's origin; nothing secret is in what it says.
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function notify(method, params = {}) {
  send({ method, params });
}

function request(method, params) {
  lastId += 1;
  const id = lastId;
  send({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

const NOTIFICATIONS = {
  "ui/notifications/tool-result": (result) => show(result),
  "ui/notifications/tool-cancelled": () => say(words.cancelled),
  "ui/notifications/host-context-changed": (context) => adopt(context),
};
const REQUESTS = ["ping", "ui/resource-teardown"];

window.addEventListener("message", (event) => {
  const message = event.data;
  if (event.source !== window.parent || message?.jsonrpc !== "2.0") return;
  const { id, method, params, result, error } = message;
  if (method === undefined) {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(String(error.message)));
    else asked?.resolve(result);
  } else if (id === undefined) {
    if (Object.hasOwn(NOTIFICATIONS, method)) NOTIFICATIONS[method](params ?? {});
  } else if (REQUESTS.includes(method)) {
    send({ id, result: {} });
  } else {
    send({ id, error: { code: -32601, message: "unknown method" } });
  }
});

function adopt(context) {
  if (context.theme === "dark" || context.theme === "light") root.dataset.theme = context.theme;
  if (typeof context.locale === "string" && !rendering) speak(context.locale);
}

// The page

function speak(language) {
  const code = String(language).toLowerCase().startsWith("es") ? "es" : "en";
  words = WORDS[code];
  root.lang = code;
  heading.textContent = words.title;
  document.title = words.title;
}

function say(text) {
  main.setAttribute("aria-busy", "false");
  status.textContent = text;
}

function element(name, text, properties = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return Object.assign(made, properties);
}

function show(result) {
  rendering += 1;
  const answer = result.structuredContent;
  list.replaceChildren();
  if (result.isError || !Array.isArray(answer?.results)) {
    const said = (result.content ?? []).find((block) => block.type === "text");
    say(result.isError && said ? said.text : words.failed);
    return;
  }
  speak(answer.language);
  say(answer.message);
  const pictures = picturesOf(result.content ?? [], answer.results);
  const missing = [];
  for (const found of answer.results) {
    const { card, frame } = cardOf(found);
    list.append(card);
    const picture = pictures.get(found.id);
    if (picture) display(frame, found, picture);
    else missing.push({ frame, found });
  }
  fetchMissing(missing, rendering);
}

function cardOf(found) {
  const card = element("li");
  const article = element("article");
  const frame = element("div", undefined, { className: "picture" });
  frame.append(element("p", words.none));
  const text = element("div", undefined, { className: "words" });
  const score = Math.min(1, Math.max(0, Number(found.score) || 0));
  const line = element("p", `${words.score} ${score.toFixed(2)}`, { className: "score" });
  const meter = element("meter", undefined, { min: 0, max: 1, value: score });
  meter.setAttribute("aria-hidden", "true");
  line.append(meter);
  const hashtags = element("ul", undefined, { className: "hashtags" });
  for (const tag of found.hashtags ?? []) hashtags.append(element("li", tag));
  text.append(
    element("h2", found.title),
    line,
    element("p", found.description),
    hashtags,
    element("p", found.rights_note, { className: "rights" }),
  );
  article.append(frame, text);
  card.append(article);
  return { card, frame };
}

/// By id where the pictures say whose they are; by place where a host left that out and none is missing.
function picturesOf(content, results) {
  const blocks = content.filter((block) => block.type === "image");
  const named = blocks.some((block) => block._meta?.["promptsales/image"]);
  const inPlace = blocks.length === Math.min(3, results.length);
  const pictures = new Map();
  blocks.forEach((block, place) => {
    const id = named ? block._meta?.["promptsales/image"] : inPlace && results[place].id;
    const address = addressOf(block.mimeType, block.data);
    if (id && address) pictures.set(id, address);
  });
  return pictures;
}

function addressOf(kind, data) {
  if (!KINDS.includes(kind) || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) return undefined;
  return `data:${kind};base64,${data}`;
}

function display(frame, found, address) {
  const picture = element("img", undefined, { alt: found.alt ?? "" });
  picture.addEventListener("load", () => frame.replaceChildren(picture), { once: true });
  picture.src = address;
}

/// The pictures that did not come along, by way of the host, where it reads resources for its views.
async function fetchMissing(missing, mine) {
  if (!host.serverResources) return;
  const next = async () => {
    for (let one = missing.shift(); one && mine === rendering; one = missing.shift()) {
      const id = encodeURIComponent(one.found.id);
      const uri = `promptsales://images/${id}/renditions/${WIDTH}`;
      try {
        const [picture] = (await request("resources/read", { uri })).contents;
        const address = addressOf(picture.mimeType, picture.blob);
        if (address && mine === rendering) display(one.frame, one.found, address);
      } catch {
        // It stays as it is: a card without its picture.
      }
    }
  };
  await Promise.all(Array.from({ length: SHOWN_AT_ONCE }, next));
}

async function start() {
  speak("en");
  say(words.waiting);
  main.setAttribute("aria-busy", "true");
  const hello = await request("ui/initialize", {
    protocolVersion: REVISION,
    appInfo: { name: "promptsales-gallery", version: "1" },
    appCapabilities: { availableDisplayModes: ["inline"] },
  });
  host = hello.hostCapabilities ?? {};
  adopt(hello.hostContext ?? {});
  if (!rendering) status.textContent = words.waiting;
  new ResizeObserver(() => {
    const { width, height } = root.getBoundingClientRect();
    notify("ui/notifications/size-changed", { width: Math.ceil(width), height: Math.ceil(height) });
  }).observe(root);
  notify("ui/notifications/initialized");
}

start();
