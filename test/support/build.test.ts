import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { bundle, PROGRAMS, type Program } from './build.ts'
import { fileOf, importsOf, ROOT } from './imports.ts'

const run = promisify(execFile)

const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
after(async () => rm(folder, { recursive: true }))

const bundles = new Map<Program, Promise<string>>()

/** Each bundle is built once. */
function built(program: Program): Promise<string> {
  const known = bundles.get(program) ?? bundle(program, folder)
  bundles.set(program, known)
  return known
}

let elsewhere: Promise<string> | undefined

/** The folder of all bundles, built once more from a copy of the sources. */
function builtElsewhere(): Promise<string> {
  elsewhere ??= buildCopy(join(folder, 'elsewhere'))
  return elsewhere
}

async function buildCopy(copy: string): Promise<string> {
  const needed = ['sidecar', 'webhook', 'package.json', ...sourcesOf('test/support/build.ts')]
  for (const path of needed) await cp(join(ROOT, path), join(copy, path), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  await run(process.execPath, ['test/support/build.ts'], { cwd: copy })
  return join(copy, 'dist')
}

test('the bundle of the sidecar is without the libraries of the webhook', async () => {
  const source = await readFile(await built('sidecar'), 'latin1')
  assert.doesNotMatch(
    source,
    /node_modules\/(@peculiar|reflect-metadata|@kubernetes|jsonpatch|smol-toml)\//,
  )
})

/** The image that each program is in. */
const DOCKERFILES = {
  sidecar: 'Dockerfile.sidecar',
  webhook: 'Dockerfile.webhook',
  gateway: 'Dockerfile.webhook',
  'flux-metrics': 'Dockerfile.webhook',
} as const satisfies Record<Program, string>

const NAMES = Object.keys(DOCKERFILES) as Program[]

for (const program of NAMES) {
  test(`the bundle of ${program} runs as one file, without its sources`, async () => {
    const { stdout, stderr } = await run(process.execPath, [await built(program), '--version'])
    assert.deepEqual({ stdout, stderr }, { stdout: `${packageJson.version}\n`, stderr: '' })
  })

  test(`the bundle of ${program} has one byte for each character`, async () => {
    const source = await readFile(await built(program), 'latin1')
    assert.doesNotMatch(source, /[^\0-\x7f]/)
  })

  test(`the bundle of ${program} has the same bytes when it is built again, elsewhere`, async () => {
    const here = await built(program)
    const again = await readFile(join(await builtElsewhere(), `${program}.cjs`))
    assert.ok(again.equals(await readFile(here)))
  })

  test(`the licences of ${program} name every package of which there is code`, async () => {
    const path = await built(program)
    const code = await readFile(path, 'utf8')
    const inside = PROGRAMS[program].licences === 'inside'
    const notice = inside
      ? code.slice(code.indexOf('// Parts of other projects')).replace(/^\/\/ ?/gm, '')
      : await readFile(path.replace(/cjs$/, 'LICENSES.txt'), 'utf8')
    const packages = new Set(
      [
        ...code.matchAll(/^\s*\/\/ node_modules\/(?:.*\/node_modules\/)?((?:@[^/]+\/)?[^/]+)\//gm),
      ].map(([, name = '']) => name),
    )
    assert.ok(packages.size >= 5)
    for (const name of packages)
      assert.match(notice, new RegExp(`^-+\n${name} \\d\\S* \\(.+\\)$`, 'm'))
    assert.match(notice, /Permission is hereby granted, free of charge/)
  })

  test(`the image with ${program} is built with all sources that are imported`, async () => {
    const dockerfile = await readFile(join(ROOT, DOCKERFILES[program]), 'utf8')
    const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    )
    const needed = [...sourcesOf(PROGRAMS[program].main), ...sourcesOf('test/support/build.ts')]
    assert.ok(needed.length > 20)
    const isCopied = (file: string) => copied.some((path) => `${file}/`.startsWith(`${path}/`))
    assert.deepEqual(
      needed.filter((file) => !isCopied(file)),
      [],
    )
  })

  test(`the version label of the image with ${program} is the version of the package`, async () => {
    const dockerfile = await readFile(join(ROOT, DOCKERFILES[program]), 'utf8')
    assert.match(dockerfile, new RegExp(`^ARG VERSION=${packageJson.version}$`, 'm'))
  })
}

for (const program of ['sidecar', 'webhook', 'gateway'] as const) {
  test(`the bundle of ${program} has no data twice`, async () => {
    const source = await readFile(await built(program), 'latin1')
    assert.equal(source.match(/mime-db\/db\.json"\(/g)?.length, 1)
  })
}

/** A source and all that it imports. */
function sourcesOf(main: string): readonly string[] {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const specifier of importsOf(file)) {
      const target = fileOf(specifier, file)
      if (target?.endsWith('.ts')) visit(target)
    }
  }
  visit(main)
  return [...reached]
}
