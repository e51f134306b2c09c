// The page that is built: its size, and what must not be in it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readPageFiles } from '../../../../webhook/cli/dashboard/page-files.ts'

const BUDGET = 80 * 1024

test('the page has all files that it names, and takes less than 80 KiB compressed', async () => {
  const files = await readPageFiles()
  const html = files.get('index.html')?.text ?? ''
  const named = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, name = '']) => name)
  assert.deepEqual(named.sort(), ['icon.svg', 'page.js', 'style.css'])
  assert.deepEqual([...files.keys()].sort(), ['icon.svg', 'index.html', 'page.js', 'style.css'])
  const sizes = [...files].map(([name, { text }]) => [name, gzipSync(text).length] as const)
  const total = sizes.reduce((sum, [, size]) => sum + size, 0)
  assert.ok(total > 10_000, `only ${total} bytes`)
  assert.ok(total < BUDGET, `${total} bytes: ${sizes.join('; ')}`)
})

test('nothing of it is written as HTML, loaded from elsewhere, or run from a text', async () => {
  const files = await readPageFiles()
  const [html = '', script = '', style = ''] = ['index.html', 'page.js', 'style.css'].map(
    (name) => files.get(name)?.text ?? '',
  )
  assert.doesNotMatch(html, /<script(?! type="module" src)|<style|\son\w+=|style=/)
  // Preact names innerHTML for a property that no component has: Trusted Types stop it.
  assert.doesNotMatch(
    script,
    /dangerouslySetInnerHTML:|insertAdjacentHTML|document\.write|\beval\(/,
  )
  const addresses = [html, style, script.replaceAll(/http:\/\/www\.w3\.org\/[\w/.]+/g, '')]
  for (const text of addresses) assert.doesNotMatch(text, /https?:\/\//)
})
