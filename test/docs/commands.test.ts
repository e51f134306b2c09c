// The commands in the documentation: those of flux-metrics that need no cluster are run, and print what is shown; npm scripts exist.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { EXIT } from '../../webhook/cli/command.ts'
import { runCommand } from '../../webhook/cli/commands.ts'
import { ROOT } from '../support/imports.ts'
import { createMemoryIo } from '../webhook/cli/memory-io.ts'
import { PAGES, readPage, shownCommands } from './pages.ts'

/** Where the pages let a reader be, and where the file of a MiniCluster may be. */
const FOLDERS = ['.', 'manifests/examples', 'webhook/cli/examples']

const COMMANDS = PAGES.flatMap(shownCommands)

/** A stand-in line for lines that are left out. */
const LEFT_OUT = '…'

function readFile(name: string): string | undefined {
  const folder = FOLDERS.find((candidate) => existsSync(join(ROOT, candidate, name)))
  return folder === undefined ? undefined : readFileSync(join(ROOT, folder, name), 'utf8')
}

/** The arguments of a `flux-metrics` that needs no cluster, at the head of a pipe or after a `cd`. */
function localArguments(command: string): readonly string[] | undefined {
  const [head = ''] = command.replace(/^cd \S+ && /, '').split(' | ')
  const [, args = ''] = /^flux-metrics (.*)$/.exec(head) ?? []
  return /^(--help|hpa -f|inject -f|simulate -f)/.test(args) ? args.split(' ') : undefined
}

/** Whether the lines are shown in their order, without a gap but where some are left out. */
function isShown(lines: readonly string[], printed: string): boolean {
  let rest = `\n${printed}`
  for (const part of lines.join('\n').split(`\n${LEFT_OUT}`)) {
    const piece = part.replace(/^…(\n|$)/, '').trim()
    const at = rest.indexOf(piece)
    if (at === -1) return false
    rest = rest.slice(at + piece.length)
  }
  return true
}

const LOCAL = COMMANDS.flatMap((shown) => {
  const args = localArguments(shown.command)
  return args === undefined ? [] : [{ ...shown, args }]
})

test('there are commands to run', () => {
  assert.ok(LOCAL.length >= 5, `only ${LOCAL.length}`)
})

for (const { page, command, output, args } of LOCAL) {
  test(`${page}: "${command}" works, and prints what is shown`, async () => {
    const named = args.filter((_, index) => args[index - 1] === '-f')
    const files = Object.fromEntries(named.map((name) => [name, readFile(name) ?? '']))
    const { io, written } = createMemoryIo({ files })
    assert.equal(await runCommand(args, { ...io, version: packageJson.version }), EXIT.ok)
    assert.ok(isShown(output, written.out), `it prints:\n${written.out}`)
  })
}

test('pages that run flux in a pod bring it from the view of the operator, which is in no PATH', () => {
  const pages = PAGES.filter((page) => readPage(page).includes('flux proxy'))
  assert.ok(pages.length >= 2)
  for (const page of pages) assert.match(readPage(page), /\. \/mnt\/flux\/flux-view\.sh/, page)
})

test('a command that prints something else than is shown is found', () => {
  assert.ok(isShown(['a', '…', 'c'], 'a\nb\nc\n'))
  assert.ok(!isShown(['a', 'c'], 'a\nb\nc\n'))
  assert.ok(!isShown(['c', '…', 'a'], 'a\nb\nc\n'))
})

test('docs/how-to/HPA.md shows the HPA that flux-metrics hpa writes for the example', async () => {
  const [, shown] = /```yaml\n([\s\S]*?)```/.exec(readPage('docs/how-to/HPA.md')) ?? []
  const name = 'minicluster.yaml'
  const { io, written } = createMemoryIo({ files: { [name]: readFile(name) ?? '' } })
  assert.equal(await runCommand(['hpa', '-f', name], io), EXIT.ok)
  assert.equal(shown, written.out)
})

test('no command applies manifests whose images have no registry: nobody publishes them', () => {
  const bare = COMMANDS.filter(({ command }) =>
    /^kubectl apply -k manifests(\/(?!examples)|$)/.test(command.trim()),
  )
  assert.deepEqual(
    bare.map(({ page, command }) => `${page}: ${command}`),
    [],
  )
})

test('no command runs an image without its registry: nothing has that name', () => {
  const bare = COMMANDS.filter(({ command }) => /\sflux-metrics-[a-z]+:\d/.test(command))
  assert.deepEqual(
    bare.map(({ page, command }) => `${page}: ${command}`),
    [],
  )
})

test('an upgrade with Helm takes what is new in values.yaml', () => {
  const upgrades = COMMANDS.filter(({ command }) => command.startsWith('helm upgrade'))
  assert.ok(upgrades.length > 0)
  for (const { command } of upgrades) assert.doesNotMatch(command, / --reuse-values/)
})

test('only npm scripts that exist are named', () => {
  const scripts = new Set<string>(Object.keys(packageJson.scripts))
  const named = PAGES.filter((page) => page !== 'CHANGELOG.md').flatMap((page) =>
    [
      ...readPage(page).matchAll(/npm (?:run (?:--silent |-s )?([a-z][\w:-]*)|(start|test))\b/g),
    ].map((match) => match[1] ?? match[2] ?? ''),
  )
  assert.ok(named.length > 10)
  assert.deepEqual(
    named.filter((name) => !scripts.has(name)),
    [],
  )
})
