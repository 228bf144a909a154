import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'

const START_MS = 10_000
/** Where a machine keeps what only an administrator is expected to start. */
const PATHS = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`
const env = { ...process.env, PATH: PATHS }

export function nginxAvailable(): boolean {
  return spawnSync('nginx', ['-v'], { env }).status === 0
}

/** The location of docs/hub.md, as it stands there. */
export function documentedLocation(): string {
  return nginxBlock('hub.md')
}

/** The same with what docs/client.md puts into the place of its `limit_except`, for pages of `origin`. */
export function documentedCorsLocation(origin: string): string {
  const [before, after, ...more] = documentedLocation().split(/^ *limit_except .*\n/m)
  const lines = nginxBlock('client.md')
  if (before === undefined || after === undefined || more.length > 0 || !lines.includes('https://app.example ')) {
    throw new Error('The configurations of the documents have changed')
  }
  return before + lines.replace('https://app.example', origin) + after
}

function nginxBlock(page: string): string {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8')
  const block = /^```nginx\n([^]+?)^```/m.exec(text)?.[1]
  if (block === undefined) throw new Error(`docs/${page} has no nginx configuration`)
  return block
}

/** Starts nginx with a location of the documents before a hub on that port. Returns its origin. */
export async function startNginx(location: string, hubPort: number): Promise<string> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-nginx-'))
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
events { worker_connections 64; }
http {
  access_log off; ${paths.join(' ')}
  server { listen 127.0.0.1:${port};
${location.replace('http://127.0.0.1:3000', `http://127.0.0.1:${hubPort}`)}
  }
}
`,
  )
  const nginx = spawn('nginx', ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  onTestFinished(async () => {
    await stop(nginx)
    rmSync(folder, { recursive: true, force: true })
  })
  await expect.poll(() => nginx.exitCode !== null || accepts(port), { timeout: START_MS }).toBe(true)
  if (nginx.exitCode !== null) throw new Error(`nginx does not start: ${said}`)
  return `http://127.0.0.1:${port}`
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function stop(nginx: ChildProcess): Promise<void> {
  if (nginx.exitCode !== null || nginx.signalCode !== null) return
  const exited = once(nginx, 'exit')
  nginx.kill('SIGTERM')
  await exited
}
