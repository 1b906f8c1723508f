"""One session in each era with the Python SDK's client, over streamable HTTP or stdio.

    session.py http URL ISSUER CLIENT_ID     the secret comes from CLIENT_SECRET
    session.py stdio COMMAND [ARGUMENT...]   the environment is handed on

The client finds the authorization server by itself, from the 401 and the metadata that it names,
and checks structuredContent against the tool's outputSchema. Prints one JSON line for each era.
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

ERAS = ["legacy", "2026-07-28", "auto"]


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
    connect = {"http": over_http, "stdio": over_stdio}[transport]
    for era in ERAS:
        print(json.dumps(await session(connect(*arguments), era)), flush=True)


asyncio.run(main(*sys.argv[1:]))
