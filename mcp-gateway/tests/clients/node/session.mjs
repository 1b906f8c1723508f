// Sessions of the TypeScript SDK's client: each era with a token by each grant.
//
//   session.mjs URL ISSUER     the secret of the client `service` comes from CLIENT_SECRET
//
// The client finds the authorization server by itself, from the 401 and the metadata that it names, and
// checks structuredContent against the tool's outputSchema. Prints one JSON line a session.

import { load } from "./packages.mjs";

const { Client, ClientCredentialsProvider, StreamableHTTPClientTransport, UnauthorizedError } =
  load("@modelcontextprotocol/client");

const SCOPE = "content:read sales:read";
const ERAS = { "2025-11-25": "legacy", "2026-07-28": { pin: "2026-07-28" } };
const [url, issuer] = process.argv.slice(2);

const byClientCredentials = () =>
  new ClientCredentialsProvider({
    clientId: "service",
    clientSecret: process.env.CLIENT_SECRET,
    scope: SCOPE,
    expectedIssuer: issuer,
  });

/// A native application: authorization code with PKCE. Where a browser would open, it keeps the address.
class Application {
  redirectUrl = "http://127.0.0.1/callback";
  clientMetadata = { client_name: "assistant", redirect_uris: [this.redirectUrl], scope: SCOPE };

  clientInformation() {
    return { client_id: "assistant", issuer };
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens) {
    this.kept = tokens;
  }
  redirectToAuthorization(address) {
    this.address = address;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
}

/// Plays the person: signs in, consents, and comes back with what the callback was given.
async function authorize(address, callback) {
  const cookies = new Map();
  let next = { address, form: undefined };
  for (let step = 0; step < 12; step += 1) {
    const response = await fetch(next.address, {
      method: next.form ? "POST" : "GET",
      body: next.form,
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location?.startsWith(callback)) return new URL(location).searchParams;
    if (location) {
      next = { address: new URL(location, next.address) };
      continue;
    }
    const page = await response.text();
    const prompt = /name="prompt" value="(login|consent)"/.exec(page)?.[1];
    if (!prompt) throw new Error(`no form at ${next.address}: ${response.status} ${page}`);
    const action = /action="([^"]+)"/.exec(page)[1];
    const form = new URLSearchParams({ prompt, login: "ana", password: "any" });
    next = { address: new URL(action, next.address), form };
  }
  throw new Error("the authorization server asks without end");
}

async function connected(mode, provider) {
  const connect = async () => {
    const client = new Client(
      { name: "session", version: "1" },
      { versionNegotiation: { mode }, capabilities: {} },
    );
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
    try {
      await client.connect(transport);
      return { client };
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      return { transport };
    }
  };
  const first = await connect();
  if (first.client) return first.client;
  const given = await authorize(provider.address, provider.redirectUrl);
  await first.transport.finishAuth(given);
  return (await connect()).client;
}

async function session(era, grant, provider) {
  const client = await connected(ERAS[era], provider);
  const negotiated = client.getNegotiatedProtocolVersion();
  const { tools } = await client.listTools();
  const call = (name, args) => client.callTool({ name, arguments: args });
  const found = await call("getContent", { description: "two beaches" });
  const question = "a photo of two beaches at sunset, warm light";
  const asked = await call("ask", { question });
  const wrong = await call("getContent", { description: "two beaches", limit: 0 });
  const { resources } = await client.listResources();
  const read = await client.readResource({ uri: "promptsales://freshness" });
  const { resourceTemplates } = await client.listResourceTemplates();
  await client.close();
  return {
    era,
    grant,
    negotiated,
    challenged: Boolean(provider.address),
    tools: tools.map((tool) => tool.name),
    ids: found.structuredContent.results.map((one) => one.id),
    blocks: found.content.map((block) => block.type),
    route: asked.structuredContent.route,
    refused: wrong.isError,
    resources: resources.length,
    read: read.contents[0].mimeType,
    templates: resourceTemplates.length,
  };
}

for (const era of Object.keys(ERAS)) {
  const lines = [
    await session(era, "client_credentials", byClientCredentials()),
    await session(era, "authorization_code", new Application()),
  ];
  for (const line of lines) console.log(JSON.stringify(line));
}
