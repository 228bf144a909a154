// `npm run size`: what the parts for browsers weigh there, minified and gzipped; fails above the budget.
import { gzipSync } from 'node:zlib'
import { ensureInstalled, root } from './ensure-install.mjs'

await ensureInstalled()
const { build } = await import('esbuild')

/** What a user imports, from where, and the most that it may weigh, React not counted. Bytes. */
const budgets = [
  {
    name: 'encoder',
    from: '@millrace/protocol',
    imports: 'encodeEvent, encodeComment, encodeRetry',
    maxBytes: 1024,
  },
  { name: 'parser', from: '@millrace/protocol', imports: 'EventStreamParser', maxBytes: 2048 },
  // The parser is half of it.
  { name: 'EventSource', from: '@millrace/client', imports: 'EventSource', maxBytes: 4224 },
  // The parser is 2,046 of these; what the rest buys is in docs/decisions.md, "The client".
  { name: 'connect', from: '@millrace/client', imports: 'connect', maxBytes: 11_008 },
  {
    name: 'react hooks, with connect',
    from: '@millrace/client/react',
    imports: 'useStream, useEvent, useLatest',
    maxBytes: 13312,
  },
]

let over = false
for (const { name, from, imports, maxBytes } of budgets) {
  const { minified, gzipped } = await weigh(from, imports)
  const verdict = gzipped <= maxBytes ? 'ok' : 'OVER BUDGET'
  console.log(`${verdict}  ${name}: ${gzipped} of ${maxBytes} bytes gzipped (${minified} minified)`)
  if (gzipped > maxBytes) over = true
}
process.exitCode = over ? 1 : 0

/**
 * Bundles the imports as a user's bundler does: from the public entry, dropping what is not used.
 *
 * @param {string} from
 * @param {string} imports
 */
async function weigh(from, imports) {
  const {
    outputFiles: [output],
  } = await build({
    stdin: { contents: `export { ${imports} } from '${from}'`, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    external: ['react'],
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['@millrace/source'],
    logLevel: 'warning',
  })
  if (output === undefined) throw new Error('esbuild wrote no file')
  return { minified: output.contents.length, gzipped: gzipSync(output.contents, { level: 9 }).length }
}
