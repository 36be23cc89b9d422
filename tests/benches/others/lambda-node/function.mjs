// What a function in JavaScript does to begin an authorisation, with the SDK of AWS: it makes a state and a PKCE pair,
// writes one item, and answers with the authorise URL. Bundled, with its own loop around the Runtime API.
import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const store = new DynamoDBClient({});
const base64url = (bytes) => bytes.toString("base64url");

async function begin(event) {
  const instance = event.rawPath.split("/")[3];
  const { return_url } = JSON.parse(event.body);
  const [state, verifier] = [base64url(randomBytes(32)), base64url(randomBytes(32))];
  const now = Math.floor(Date.now() / 1000);
  const digest = base64url(createHash("sha256").update(state).digest());
  await store.send(
    new PutItemCommand({
      TableName: process.env.LATCHKEY_TABLE_AUTHORISATIONS,
      ConditionExpression: "attribute_not_exists(id)",
      Item: {
        id: { S: `other#${digest}` },
        instance: { S: instance },
        verifier: { S: verifier },
        return_url: { S: return_url },
        created_at: { N: String(now) },
        expires_at: { N: String(now + 600) },
      },
    }),
  );
  const url = new URL("https://provider.example/authorise");
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: "client",
    redirect_uri: `${process.env.LATCHKEY_BASE_URL}/oauth/authenticate`,
    scope: "read write",
    state,
    code_challenge: base64url(createHash("sha256").update(verifier).digest()),
    code_challenge_method: "S256",
  }).toString();
  return {
    statusCode: 201,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
    body: JSON.stringify({ authorise_url: url.href, expires_at: now + 600 }),
  };
}

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, agent, method, path: `/2018-06-01/runtime/invocation/${path}` }, (answer) => {
      let text = "";
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => resolve([answer.headers, text]));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

(async () => {
  for (;;) {
    const [headers, text] = await call("GET", "next");
    const id = headers["lambda-runtime-aws-request-id"];
    try {
      await call("POST", `${id}/response`, JSON.stringify(await begin(JSON.parse(text))));
    } catch (error) {
      await call("POST", `${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
    }
  }
})();
