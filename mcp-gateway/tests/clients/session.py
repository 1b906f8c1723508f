"""One session in each era with the Python SDK's client, over streamable HTTP or stdio.

    session.py http URL ISSUER CLIENT_ID     by client credentials; the secret comes from CLIENT_SECRET
    session.py code URL ISSUER CLIENT_ID     by authorization code and PKCE, signing in at npm's oidc-provider
    session.py stdio COMMAND [ARGUMENT...]   the environment is handed on

The client finds the authorization server by itself, from the 401 and the metadata that it names,
and checks structuredContent against the tool's outputSchema. Prints one JSON line for each era.
"""

import asyncio
import json
import os
import re
import sys
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata

ERAS = ["legacy", "2026-07-28", "auto"]
CALLBACK = "http://127.0.0.1/callback"


class InMemory:
    """Keeps a token for one run."""

    def __init__(self):
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def over_http(url, issuer, client_id):
    provider = ClientCredentialsOAuthProvider(
        server_url=url,
        storage=InMemory(),
        client_id=client_id,
        client_secret=os.environ["CLIENT_SECRET"],
        scope="content:read",
        issuer=issuer,
    )
    return streamable_http_client(url, http_client=create_mcp_http_client(auth=provider))


async def sign_in(address):
    """Plays the person: signs in, consents, and comes back with what the callback was given."""
    form = None
    async with httpx2.AsyncClient() as browser:
        for _ in range(12):
            method = "POST" if form else "GET"
            response = await browser.request(method, address, data=form)
            location = response.headers.get("location", "")
            if location.startswith(CALLBACK):
                given = parse_qs(urlsplit(location).query)
                return AuthorizationCodeResult(**{name: values[0] for name, values in given.items()})
            if location:
                address, form = urljoin(address, location), None
                continue
            prompt = re.search(r'name="prompt" value="(login|consent)"', response.text)[1]
            address = urljoin(address, re.search(r'action="([^"]+)"', response.text)[1])
            form = {"prompt": prompt, "login": "ana", "password": "any"}
    raise RuntimeError("the authorization server asks without end")


def by_code(url, issuer, client_id):
    public = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "scope": "content:read"}
    storage = InMemory()
    storage.client = OAuthClientInformationFull(client_id=client_id, issuer=issuer, **public)
    opened = []

    async def redirect(address):
        opened.append(address)

    async def callback():
        return await sign_in(opened[-1])

    provider = OAuthClientProvider(
        server_url=url,
        client_metadata=OAuthClientMetadata(**public),
        storage=storage,
        redirect_handler=redirect,
        callback_handler=callback,
    )
    return streamable_http_client(url, http_client=create_mcp_http_client(auth=provider))


def over_stdio(command, *arguments):
    return StdioServerParameters(command=command, args=list(arguments), env=dict(os.environ))


async def session(server, era):
    async with Client(server, mode=era, read_timeout_seconds=30) as client:
        tools = await client.list_tools()
        result = await client.call_tool("getContent", {"description": "two beaches"})
        refused = await client.call_tool("getContent", {"description": "two beaches", "limit": 0})
        return {
            "era": era,
            "tools": [tool.name for tool in tools.tools],
            "is_error": result.is_error,
            "ids": [found["id"] for found in result.structured_content["results"]],
            "blocks": [block.type for block in result.content],
            "refused": refused.is_error,
        }


async def main(transport, *arguments):
    connect = {"http": over_http, "code": by_code, "stdio": over_stdio}[transport]
    for era in ERAS:
        print(json.dumps(await session(connect(*arguments), era)), flush=True)


asyncio.run(main(*sys.argv[1:]))
