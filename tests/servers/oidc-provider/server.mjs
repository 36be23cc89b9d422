// oidc-provider on loopback, as a provider for tests. Its clock can be moved:
// POST /__clock with a number of seconds moves it on by as many.
// Environment: REDIRECT_URIS (comma-separated), AT_TTL, RT_TTL, ROTATE=always|never.
// It prints its issuer when it is ready, and ends when its standard input does.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';

let aheadMillis = 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + aheadMillis);
    else super(...given);
  }

  static now() {
    return RealDate.now() + aheadMillis;
  }
};
// The library reads the clock when it is loaded, so it is loaded after the clock was changed.
const { default: Provider } = await import('oidc-provider');

const web = {
  redirect_uris: process.env.REDIRECT_URIS.split(','),
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
};
const secret = 'conn-secret-0123456789-0123456789-abcdef';
const clients = [
  { ...web, client_id: 'basic', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' },
  { ...web, client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { ...web, client_id: 'public', token_endpoint_auth_method: 'none' },
  // Installed at the provider: its codes are asked for by nobody, and so bound to no challenge.
  { ...web, client_id: 'installed', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' },
  // Made of characters that tell a form-encoded Basic header (RFC 6749 §2.3.1) from a raw one.
  { ...web, client_id: 'odd:id/+', client_secret: 'p%+ :/&=?~"secret-0123456789-abcdef' },
];

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients,
  cookies: { keys: [randomBytes(16).toString('hex')] },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
  pkce: { required: (_ctx, client) => client.clientId !== 'installed' },
  rotateRefreshToken: process.env.ROTATE !== 'never',
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  scopes: ['openid', 'offline_access', 'api:read', 'api:write'],
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  ttl: {
    AccessToken: Number(process.env.AT_TTL), RefreshToken: Number(process.env.RT_TTL || 86400 * 30),
    AuthorizationCode: 3600, IdToken: 300, Session: 86400, Interaction: 600, Grant: 86400 * 30,
  },
  features: {
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
});
provider.on('server_error', (_ctx, error) => console.error('server_error', error));
const answer = provider.callback();
server.on('request', (request, response) => {
  if (request.url !== '/__clock') return void answer(request, response);
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => { aheadMillis += Number(body) * 1000; response.end('ok'); });
});
console.log(issuer);
process.stdin.resume().on('end', () => process.exit(0));
