import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = new URL('../../examples/stream-tests/', import.meta.url)
const readme = readFileSync(new URL('../../packages/testing/README.md', import.meta.url), 'utf8')

test.each(['client.test.ts', 'server.test.ts', 'page.spec.ts'])('%s stands in the README as it is', (name) => {
  expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL(name, folder), 'utf8')}\`\`\`\n`)
})

test('the tests of a client and of a server in the README pass', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--conditions=@millrace/source', '--test', 'client.test.ts', 'server.test.ts'],
    { cwd: fileURLToPath(folder), encoding: 'utf8', timeout: 20_000 },
  )
  expect(stdout).toContain('pass 3')
  expect(status).toBe(0)
})
