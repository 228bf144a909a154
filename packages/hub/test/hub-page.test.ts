/** What docs/hub.md has people type and write is what the hub takes. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { checkConfig } from '../src/settings/config-schema.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const page = readFileSync(join(root, 'docs/hub.md'), 'utf8')
const blocks = Array.from(page.matchAll(/^ *```(\w+)\n([^]*?)^ *```$/gm), ([, language = '', text = '']) => ({
  language,
  text,
}))
const blockOf = (language: string): string => blocks.find((block) => block.language === language)?.text ?? ''

test('the configuration is one that the hub takes', () => {
  expect(checkConfig(JSON.parse(blockOf('json'))).problems).toEqual([])
})

test('every command of the shell is one that there is', () => {
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => Array.from(text.matchAll(/^ *millrace (\S+)/gm), ([, name]) => name))
  expect(new Set(commands)).toEqual(new Set(['--version', 'serve', 'tail', 'publish', 'check']))
})

test('the service is given the time that the hub takes to stop, a client that takes no byte included', () => {
  const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(blockOf('ini')) ?? []
  // A stream that does not end is cut after 5 s and a sweep; answers that are under way have 1 s.
  const stopMs = defaultHubSettings.drainMs + 5_000 + 1_000 + 1_000
  expect(Number(seconds) * 1_000).toBeGreaterThan(stopMs)
})

const verifiesUnits = spawnSync('systemd-analyze', ['--version']).status === 0

describe.skipIf(!verifiesUnits)('systemd-analyze', () => {
  test('takes the unit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-unit-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const unit = join(folder, 'millrace.service')
    writeFileSync(unit, blockOf('ini').replaceAll('/opt/millrace/', root))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
