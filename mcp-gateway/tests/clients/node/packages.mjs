// The packages that `../install` fetched, which are not below this directory.

import { createRequire } from "node:module";

export const load = createRequire(`${process.env.TEST_MCP_NODE}/package.json`);
