import { describe, expect, test } from 'vitest'
import { readDemoAssets } from '../src/demo/demo-assets.ts'

const assets = readDemoAssets()

function textOf(path: string): string {
  const asset = assets.find(path)
  if (!asset) throw new Error(`There is no ${path}`)
  return new TextDecoder().decode(asset.body)
}

/** The paths that a file of the page loads. */
function referencesOf(path: string): readonly string[] {
  const text = textOf(path)
  const pattern = path.endsWith('.js') ? /^import .*?from '(\.[^']+)'/gm : /(?:src|href)="([^"]+)"/g
  return [...text.matchAll(pattern)].map(([, reference]) => new URL(reference ?? '', `http://page${path}`).href)
}

describe('the files of the demo', () => {
  test('load nothing but each other', () => {
    const seen = new Set<string>()
    const waiting = ['/']
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (seen.has(path)) continue
      seen.add(path)
      for (const reference of referencesOf(path)) {
        expect(reference, `in ${path}`).toMatch(/^http:\/\/page\//)
        waiting.push(new URL(reference).pathname)
      }
    }
    expect([...seen].toSorted()).toEqual(assets.paths.toSorted())
    expect(seen).toContain('/demo/vendor/uplot.js')
  })

  test('have no address of another host in them', () => {
    const own = assets.paths.filter((path) => !path.includes('/vendor/') && !path.endsWith('.svg'))
    expect(own.filter((path) => /https?:\/\//.test(textOf(path)))).toEqual([])
  })

  test('have nothing inline that the security policy would stop', () => {
    expect(textOf('/')).not.toMatch(/<style|style="|\son\w+="|<script(?![^>]*\ssrc=)/)
  })

  test.each([
    '/demo/../package.json',
    '/demo/%2e%2e/package.json',
    '/demo/',
    '/demo',
    '',
    '__proto__',
    '/demo/tsconfig.json',
    '/demo/constructor',
  ])('do not include %j', (path) => {
    expect(assets.find(path)).toBeUndefined()
  })

  test('carry a type, a tag of their content, and a policy', () => {
    const types = new Set(assets.paths.map((path) => assets.find(path)?.headers['Content-Type']))
    expect(types).toEqual(
      new Set([
        'text/html; charset=utf-8',
        'text/javascript; charset=utf-8',
        'text/css; charset=utf-8',
        'image/svg+xml',
      ]),
    )
    const tags = assets.paths.map((path) => assets.find(path)?.headers['ETag'])
    expect(new Set(tags).size).toBe(assets.paths.length)
    for (const tag of tags) expect(tag).toMatch(/^"[\w-]{22}"$/)
    for (const path of assets.paths) {
      const policy = assets.find(path)?.headers['Content-Security-Policy'] ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
    }
  })
})
