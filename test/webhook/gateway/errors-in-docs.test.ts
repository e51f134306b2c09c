// docs/reference/ERRORS.md explains the errors of the gateway: its table has their texts as the code has them, and leaves none out.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '../../..')

/** The gateway refuses clients, and names metrics that nobody has, in the words of the sidecar. */
const OURS = ['webhook/gateway/**/*.ts']
const SHARED = ['sidecar/api/front-proxy.ts', 'sidecar/serving/status.ts']

/** Parts of a longer sentence, or never seen by a client. */
const PARTS = new Set([
  'a sidecar answered without a list',
  '…: its pod … …',
  'more than … pods have its label',
  'its pods took longer than … ms',
  'more than … Events say that its pods are refused',
  'the Events of refused pods are too long',
])

/** The constant texts of files, with `…` for what is put into them: sentences over several lines in one. */
function textsIn(patterns: readonly string[]): string {
  return globSync([...patterns], { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n')
    .replaceAll(/['`]\s*\+\s*['`]/g, '')
    .replaceAll(`\${METRICS_SERVICE}`, 'custom-metrics-apiserver')
    .replaceAll(/\$\{[^}]*\}/g, '…')
}

function tableTexts(): readonly string[] {
  const document = readFileSync(join(ROOT, 'docs/reference/ERRORS.md'), 'utf8')
  const [, table = ''] = /<!-- errors[^>]*-->\n([\s\S]*?)\n<!-- \/errors -->/.exec(document) ?? []
  return table.split('\n').flatMap((row) => {
    const [, says = ''] = /^\| [\d, ]+ \| (.*?) \| /.exec(row) ?? []
    return [...says.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)
  })
}

/** What of a text is constant. */
function constantsOf(text: string): readonly string[] {
  const parts = text.split('…').map((part) => part.replaceAll(/^[\s:;,.()]+|[\s:;,.()]+$/g, ''))
  return parts.filter((part) => part !== '')
}

test('each text of the table is one of the code', () => {
  const code = textsIn([...OURS, ...SHARED])
  const texts = tableTexts()
  assert.ok(texts.length > 40, `only ${texts.length} texts`)
  const strange = texts.filter((text) => constantsOf(text).some((part) => !code.includes(part)))
  assert.deepEqual(strange, [])
})

test('each sentence that the code answers with is in the table', () => {
  const answers = [
    ...textsIn(OURS).matchAll(/(?<!#)\b(?:unavailable|notFound|badRequest)\(\s*(['`])(.+?)\1/g),
  ]
    .map(([, , text = '']) => text)
    .filter((text) => constantsOf(text).length > 0 && !PARTS.has(text))
  assert.ok(answers.length > 20, `only ${answers.length} answers`)
  const known = tableTexts()
    .flatMap(constantsOf)
    .filter((part) => part.length >= 8)
  const missing = answers.filter((text) => !known.some((part) => text.includes(part)))
  assert.deepEqual(missing, [])
})
