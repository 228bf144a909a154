import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand, startHubProcess, type HubProcess } from './support/hub-process.ts'

async function start(log: string): Promise<HubProcess> {
  const hub = await startHubProcess(['--port', '0', '--log', log])
  onTestFinished(() => hub.stop())
  return hub
}

function logFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'hub.db')
}

test('a second hub on the file says in one line that it is in use, and ends', async () => {
  const file = logFile()
  await start(`sqlite:${file}`)
  const { code, stdout, stderr } = runCommand(['serve', '--port', '0', '--log', `sqlite:${file}`])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toBe(
    `millrace: ${file} is in use by another log, in this process or another: a log has one owner. Stop that one, or give another path.\n`,
  )
})

test('a hub that was told to stop leaves one file, and goes on from it', async () => {
  const file = logFile()
  const first = await start(`sqlite:${file}`)
  const publish = ({ url }: HubProcess): Promise<unknown> =>
    fetch(`${url}/events`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"topic":"news","data":"kept"}',
    }).then((response) => response.json())
  const [before] = ((await publish(first)) as { ids: [string] }).ids
  const ended = new Promise((resolve) => first.child.once('exit', (code) => resolve(code)))
  first.child.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(first.output.stderr).toBe('')
  const second = await start(`sqlite:${file}`)
  const [after] = ((await publish(second)) as { ids: [string] }).ids
  const [epoch, seq] = before.split('-')
  expect(after.split('-').slice(0, 2)).toEqual([epoch, `${Number(seq) + 1}`])
})
