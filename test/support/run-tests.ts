// Runs the tests that need no cluster, several files in one process: for most files it takes longer to start a process and to
// import the code than to run their tests. Arguments are files or folders, such as test/flux; without one, all tests run.
// With --check types and lint are checked beside them. With --coverage the coverage of sidecar/ and webhook/ is printed, and it
// fails if less than 90 % of lines or branches ran.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { pathToFileURL } from 'node:url'
import { messageOf } from '#serving/text.ts'
import { runBeside } from './beside.ts'
import { ROOT } from './imports.ts'
import { endWith, programArguments } from './program-arguments.ts'
import { groupsOf, testFiles } from './test-groups.ts'

/** More than there are cores: while some tests wait, others compute. */
const PROCESSES = 2 * availableParallelism() + 1

const COVERED = {
  coverage: true,
  coverageIncludeGlobs: ['sidecar/**/*.ts', 'webhook/**/*.ts'],
  lineCoverage: 90,
  branchCoverage: 90,
} as const

/** What Node makes of the sources is kept for the other processes and for the next run. */
function shareCompileCache(): void {
  enableCompileCache()
  process.env.NODE_COMPILE_CACHE = getCompileCacheDir() ?? ''
}

const LOADER = pathToFileURL(join(import.meta.dirname, 'load-group.ts')).href
const IMPORT = `import { loadGroup } from '${LOADER}'\n`

/** A file for each group that loads the group's files. */
async function entriesOf(chosen: readonly string[], folder: string): Promise<string[]> {
  return Promise.all(
    groupsOf(chosen).map(async ({ name, files }) => {
      const path = join(folder, `${name.replaceAll('/', '-')}.mjs`)
      const absolute = files.map((file) => join(ROOT, file))
      await writeFile(path, `${IMPORT}await loadGroup(${JSON.stringify(absolute)})\n`)
      return path
    }),
  )
}

const USAGE = `Usage: npm run test:unit -- [PATH]...
       npm run coverage -- [PATH]...

Runs the tests that need no cluster.

  PATH        a file or a folder, such as test/flux [all of test/]
  --check     check types and lint beside them, as npm run check does
  --coverage  print the coverage of sidecar/ and webhook/, and fail if less than
              90 % of lines or branches ran

TEST_RUNS=full runs all random cases, a number a share or a multiple of them.

Exit codes: 0 all tests pass; 1 some do not; 2 wrong usage.
`

const { values, positionals } = programArguments(
  { check: { type: 'boolean' }, coverage: { type: 'boolean' } },
  { usage: USAGE },
)
const chosen = chosenFiles()

function chosenFiles(): readonly string[] {
  try {
    return testFiles(positionals)
  } catch (error) {
    return endWith(messageOf(error), USAGE)
  }
}

// With a cache the coverage is not exact.
if (!values.coverage) shareCompileCache()
const folder = await mkdtemp(join(tmpdir(), 'flux-metrics-tests-'))
const files = await entriesOf(chosen, folder)
const checked = values.check ? runBeside('npm', ['run', '--silent', 'check']) : undefined
run({ files, cwd: ROOT, concurrency: PROCESSES, ...(values.coverage && COVERED) })
  .on('test:fail', () => {
    process.exitCode = 1
  })
  .once('close', () => void rm(folder, { recursive: true }))
  .compose(spec)
  .on('end', () => void tellCheck())
  .pipe(process.stdout)

/** Last, so that nobody has to look for it among the tests. */
async function tellCheck(): Promise<void> {
  const ended = await checked
  if (ended === undefined) return
  process.stdout.write(ended.passed ? '✔ types and lint\n' : `✖ types and lint\n${ended.output}`)
  if (!ended.passed) process.exitCode = 1
}
