// Shows getContent's results in the gallery, as a host of MCP Apps does, in headless Chromium.
//
//   gallery.mjs URL CHROMIUM LANGUAGE THEME SCREENSHOT     the token comes from TOKEN
//
// The host is the extension's own AppBridge. It runs here, in Node, with the SDK's client behind it; a page
// of its own hands messages between it and the view's frame. Prints what the view shows, as one JSON line.

import { createServer } from "node:http";

import { load } from "./packages.mjs";

const { Client, StreamableHTTPClientTransport } = load("@modelcontextprotocol/client");
const { AppBridge } = load("@modelcontextprotocol/ext-apps/app-bridge");
const puppeteer = load("puppeteer-core");

const EXTENSION = "io.modelcontextprotocol/ui";
const MEDIA_TYPE = "text/html;profile=mcp-app";
const [url, executablePath, language, theme, screenshot] = process.argv.slice(2);

async function connected(extensions) {
  const client = new Client(
    { name: "host", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } }, capabilities: { extensions } },
  );
  const headers = { authorization: `Bearer ${process.env.TOKEN}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

const pointer = async (client) => {
  const { tools } = await client.listTools();
  return tools.map((tool) => tool._meta?.ui?.resourceUri ?? null);
};

/// A page with one sandboxed frame, and the way to it as a transport.
async function hostPage(browser, report) {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.setViewport({ width: 800, height: 620 });
  page.on("dialog", (dialog) => {
    report.dialogs += 1;
    dialog.dismiss();
  });
  const requests = report.requests;
  page.on("request", (request) => {
    const known = ["data:", "about:"].some((scheme) => request.url().startsWith(scheme));
    if (!known) requests.push(request.url());
  });
  page.on("pageerror", (error) => report.errors.push(String(error)));
  const transport = {
    start: async () => {},
    close: async () => {},
    send: (message) =>
      page.evaluate((said) => frames[0].postMessage(said, "*"), message),
  };
  await page.exposeFunction("toHost", (message) => transport.onmessage?.(message));
  await page.setContent(`<style>body{margin:0}iframe{border:0;width:100%;height:620px}</style>
    <iframe sandbox="allow-scripts"></iframe>`);
  await page.evaluate(() => {
    addEventListener("message", (event) => {
      if (event.source === frames[0]) globalThis.toHost(event.data);
    });
  });
  return { page, transport };
}

/// What the view's document holds, by what a person or a screen reader meets.
const look = () => {
  const text = (parent, selector) => parent.querySelector(selector)?.textContent ?? null;
  const texts = (parent, selector) => [...parent.querySelectorAll(selector)].map((one) => one.textContent);
  return {
    lang: document.documentElement.lang,
    heading: text(document, "h1"),
    status: text(document, "[role=status]"),
    busy: document.querySelector("main").getAttribute("aria-busy"),
    background: getComputedStyle(document.body).backgroundColor,
    elements: ["img", "script", "iframe", "a", "svg"].map((name) => document.querySelectorAll(name).length),
    taken: globalThis.taken ?? null,
    cards: [...document.querySelectorAll("article")].map((card) => ({
      title: text(card, "h2"),
      score: text(card, ".score"),
      description: text(card, ".words > p:not([class])"),
      hashtags: texts(card, ".hashtags li"),
      alt: card.querySelector("img")?.alt ?? null,
      shown: (card.querySelector("img")?.naturalWidth ?? 0) > 0,
    })),
  };
};

/// What a script would reach that got in all the same: nothing, by the page's policy.
const breakIn = async (outside) => {
  const policies = [];
  document.addEventListener("securitypolicyviolation", (event) => policies.push(event.effectiveDirective));
  document.body.insertAdjacentHTML(
    "beforeend",
    `<img src="data:," onerror="globalThis.taken = 'handler'"><img src="${outside}">`,
  );
  const script = document.createElement("script");
  script.textContent = "globalThis.taken = 'script'";
  document.body.append(script);
  const fetched = await fetch(outside).then(() => "sent", () => "refused");
  while (policies.length < 4) await new Promise((next) => setTimeout(next, 20));
  return { fetched, policies: policies.sort(), taken: globalThis.taken ?? null };
};

/// A server that nobody may reach.
const outside = createServer((_, response) => {
  report.arrived += 1;
  response.end();
});
await new Promise((listening) => outside.listen(0, "127.0.0.1", listening));

const report = { dialogs: 0, requests: [], errors: [], arrived: 0 };
report.plain = await pointer(await connected({}));
const client = await connected({ [EXTENSION]: { mimeTypes: [MEDIA_TYPE] } });
report.pointers = await pointer(client);
const uri = report.pointers.find(Boolean);
const [resource] = (await client.readResource({ uri })).contents;
report.resource = { mimeType: resource.mimeType, meta: resource._meta };
const args = { description: "a picture", language, limit: 5 };
const result = await client.callTool({ name: "getContent", arguments: args });

const browser = await puppeteer.launch({ executablePath, headless: true, args: ["--no-sandbox"] });
try {
  const { page, transport } = await hostPage(browser, report);
  const capabilities = { serverResources: {}, logging: {} };
  const hostContext = { theme, locale: language, displayMode: "inline" };
  const bridge = new AppBridge(client, { name: "host", version: "1" }, capabilities, { hostContext });
  const initialized = new Promise((done) => bridge.addEventListener("initialized", done));
  const sized = new Promise((done) => bridge.addEventListener("sizechange", done));
  await bridge.connect(transport);
  await page.evaluate((html) => (document.querySelector("iframe").srcdoc = html), resource.text);
  await initialized;
  await bridge.sendToolInput({ arguments: args });
  await bridge.sendToolResult(result);
  const frame = await (await page.$("iframe")).contentFrame();
  const results = result.structuredContent?.results ?? [];
  await frame.waitForFunction(
    (count) =>
      document.querySelector("main").getAttribute("aria-busy") === "false" &&
      document.querySelectorAll("article img").length === count,
    {},
    results.filter((one) => !one.id.startsWith("gone")).length,
  );
  report.view = await frame.evaluate(look);
  report.sized = (await sized).height > 0;
  report.roles = rolesOf(await page.accessibility.snapshot({ includeIframes: true }));
  await page.screenshot({ path: screenshot });
  await bridge.sendHostContextChange({ theme: theme === "dark" ? "light" : "dark" });
  await frame.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, {}, report.view.background);
  // What is refused from here on is the policy's doing.
  report.requests = [...report.requests];
  report.brokeIn = await frame.evaluate(breakIn, `http://127.0.0.1:${outside.address().port}/`);
  report.teardown = await bridge.teardownResource({});
} finally {
  await browser.close();
}
outside.close();
await client.close();
console.log(JSON.stringify(report));

function rolesOf(node) {
  const below = (node?.children ?? []).flatMap(rolesOf);
  return node && ["heading", "image", "status", "list", "main"].includes(node.role)
    ? [`${node.role} ${node.name ?? ""}`.trim(), ...below]
    : below;
}
