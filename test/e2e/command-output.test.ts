/** What becomes of the `millrace` command when nobody reads what it writes, or it cannot be written. POSIX only. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort } from './support/free-port.ts'
import { commandPath } from './support/hub-process.ts'

const FULL_DISK = '/dev/full'

test.each(['--help', 'serve --help', 'check --schema', '--version'])('millrace %s | true is no fault', (args) => {
  // The exit code of the command itself, which `sh` has no other way to tell.
  const { stdout, stderr } = sh(`{ { "$@"; echo $? >&3; } | true; } 3>&1`, args.split(' '))
  expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
})

test('a hub goes on when nobody reads that it listens', async () => {
  const port = await freePort()
  const hub = startHub(port, ['ignore', 'pipe', 'ignore'])
  hub.stdout?.destroy()
  await listening(port)
  expect(hub.exitCode).toBe(null)
})

describe.skipIf(!existsSync(FULL_DISK))('on a full disk', () => {
  test('it is said that there is no output', () => {
    const { status, stderr } = sh(`"$@" > ${FULL_DISK}`, ['check', '--schema'])
    expect(stderr).toMatch(/^millrace: Standard output cannot be written to \(ENOSPC.*\)\.\n$/)
    expect(status).toBe(1)
  })

  test('a hub that cannot write its log serves, and ends when it is told to', async () => {
    const full = openSync(FULL_DISK, 'a')
    onTestFinished(() => closeSync(full))
    const port = await freePort()
    const hub = startHub(port, ['ignore', 'ignore', full])
    const exited = once(hub, 'exit')
    await listening(port)
    const response = await fetch(`http://127.0.0.1:${port}/events`)
    hub.kill('SIGTERM')
    expect(await response.text()).toContain('event: stream:shutdown')
    expect(await exited).toEqual([0, null])
  })
})

function sh(script: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('sh', ['-c', script, 'sh', process.execPath, commandPath, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
  })
}

function startHub(port: number, stdio: readonly ('ignore' | 'pipe' | number)[]): ReturnType<typeof spawn> {
  const args = [commandPath, 'serve', '--port', String(port), '--log', 'memory:', '--drain-ms', '100']
  const hub = spawn(process.execPath, args, { stdio: [...stdio] })
  onTestFinished(() => void hub.kill('SIGKILL'))
  return hub
}

async function listening(port: number): Promise<void> {
  await expect
    .poll(
      () =>
        fetch(`http://127.0.0.1:${port}/health/live`).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .toBe(200)
}
