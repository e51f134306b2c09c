// README is short, and its commands fit the manifests. CONTRIBUTING.md names what the project depends on.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import packageJson from '../package.json' with { type: 'json' }
import { readPage } from './docs/pages.ts'
import { MANIFESTS } from './support/manifests.ts'

const MAX_BYTES = 8 * 1024

const README = readPage('README.md')

test('README has at most 8 KiB', () => {
  assert.ok(Buffer.byteLength(README) <= MAX_BYTES, `${Buffer.byteLength(README)} bytes`)
})

test('what README gives to sed is the images of webhook, gateway and sidecar, and nothing else', () => {
  const [, pattern = '-'] = /sed "s\|(\S+?)\|\$REGISTRY\/&\|"/.exec(README) ?? []
  const files = ['base/deployment.yaml', 'base/mutating-webhook.yaml', 'gateway/deployment.yaml']
  const lines = files
    .flatMap((file) => readFileSync(join(MANIFESTS, file), 'utf8').split('\n'))
    .filter((line) => new RegExp(pattern).test(line))
    .map((line) => line.trim().replace(/:[\d.]+$/, ''))
  assert.deepEqual(lines.sort(), [
    'image: flux-metrics-webhook',
    'image: flux-metrics-webhook',
    'value: flux-metrics-sidecar',
  ])
})

test('the images that README builds have the tag of the manifests', () => {
  const tags = [...README.matchAll(/flux-metrics-\$i:([\d.]+)/g)].map(([, tag]) => tag)
  assert.deepEqual(new Set(tags), new Set([packageJson.version]))
})

test('CONTRIBUTING.md names every dependency, and why', () => {
  const reasons = readPage('CONTRIBUTING.md').split('| dependency | why |')[1] ?? ''
  const names = Object.keys(packageJson.devDependencies)
  const missing = names.filter((name) => !reasons.includes(name) && !name.startsWith('@types/'))
  assert.deepEqual(missing, [])
})
