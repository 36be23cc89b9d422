// Refreshes by `openid-client`: so many for each line of the standard input, as many at once as a worker
// of ours has under way; then says how many were granted.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const [tokenUrl, count, atOnce] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
const config = new client.Configuration(server, "client", undefined, client.ClientSecretBasic("client-secret"));
client.allowInsecureRequests(config);

async function refresh() {
  let [left, granted] = [count, 0];
  const worker = async () => {
    while (left-- > 0) {
      const tokens = await client.refreshTokenGrant(config, "first-refresh-token");
      if (tokens.access_token) granted += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return granted;
}

console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) console.log(await refresh());
