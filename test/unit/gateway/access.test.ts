import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { startGateway } from './running-gateway.ts';

const TOKEN = 'correct horse battery staple'.replaceAll(' ', '-');

/** `fetch` does not let a caller choose the Host header. */
function statusFor(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}

test('an address that others can reach is refused without a token, with the cure', async () => {
  for (const host of ['0.0.0.0', '::', '10.1.2.3'])
    await assert.rejects(startGateway({ host }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.match(error.message, new RegExp(`TIDELINE_GATEWAY_HOST = '${host}'.*Set TIDELINE_GATEWAY_TOKEN`));
      return true;
    });
  await assert.rejects(startGateway({ host: '0.0.0.0', token: 'short' }), /at least 16 characters/);
});

test('a taken port is named, with the cure', async () => {
  await using first = await startGateway();
  const port = Number(new URL(first.url).port);
  await assert.rejects(startGateway({ port }), new RegExp(`127\\.0\\.0\\.1:${port}: it is taken.*another port`));
});

test('with a token nothing but /healthz is served without it', async () => {
  await using gateway = await startGateway({ token: TOKEN });
  for (const path of ['/', '/api/stats', '/api/live', '/main.js', '/healthz/../api/stats', '/?token=wrong']) {
    const answer = await fetch(gateway.url + path);
    assert.equal(answer.status, 401, path);
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.ok(!(await answer.text()).includes(TOKEN));
  }
  assert.equal((await fetch(`${gateway.url}/healthz`)).status, 200);
  const headers = (value: string) => ({ headers: { authorization: value } });
  assert.equal((await fetch(`${gateway.url}/api/stats`, headers(`Bearer ${TOKEN}`))).status, 200);
  assert.equal((await fetch(`${gateway.url}/api/stats`, headers(`Bearer ${TOKEN}x`))).status, 401);
});

test('?token= becomes a cookie that scripts cannot read, and leaves the address', async () => {
  await using gateway = await startGateway({ token: TOKEN });
  const answer = await fetch(`${gateway.url}//evil.example/?token=${TOKEN}&a=1`, { redirect: 'manual' });
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get('location'), '/evil.example/?a=1');
  const cookie = answer.headers.get('set-cookie') ?? '';
  assert.match(cookie, /HttpOnly; SameSite=Strict/);
  const page = await fetch(gateway.url, { headers: { cookie: cookie.split(';')[0] } });
  assert.equal(page.status, 200);
});

test('a foreign name that points at this machine is refused: a web page elsewhere cannot read the figures', async () => {
  await using gateway = await startGateway();
  const { port } = new URL(gateway.url);
  assert.equal(await statusFor(`${gateway.url}/api/stats`, `evil.example:${port}`), 421);
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, '127.0.0.1'])
    assert.equal(await statusFor(`${gateway.url}/api/stats`, host), 200, host);
});
