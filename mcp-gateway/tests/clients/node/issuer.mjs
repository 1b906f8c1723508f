// A certified authorization server for one test run, on loopback: npm's oidc-provider.
//
//   issuer.mjs     the client's secret comes from CLIENT_SECRET
//
// Knows two clients: `service`, by client credentials, and `assistant`, a native application, by
// authorization code and PKCE. Prints its issuer identifier on one line once it listens; ends with its
// standard input.

import { createServer } from "node:http";

import { load } from "./packages.mjs";

const { Provider } = load("oidc-provider");

const SCOPES = "content:read sales:read";

const server = createServer();
// Longer than any client keeps a connection, or one could be closed while a request is on its way.
server.keepAliveTimeout = 120_000;
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "service",
      client_secret: process.env.CLIENT_SECRET,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      scope: SCOPES,
    },
    {
      client_id: "assistant",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code"],
      redirect_uris: ["http://127.0.0.1/callback"],
      response_types: ["code"],
      scope: SCOPES,
    },
  ],
  scopes: SCOPES.split(" "),
  features: {
    clientCredentials: { enabled: true },
    // Tokens as RFC 9068 has them, for the resource that was asked for.
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => ({
        audience: resource,
        scope: SCOPES,
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
      }),
      useGrantedResource: () => true,
    },
  },
});
server.on("request", provider.callback());
console.log(issuer);

process.stdin.on("end", () => process.exit()).resume();
