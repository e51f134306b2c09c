// Runs the tests that need no cluster, several files in one process: for most files it takes longer to start a process and to
// import the code than to run their tests. Arguments are files or folders, such as test/flux; without one, all tests run.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { pathToFileURL } from 'node:url'
import { ROOT } from './imports.ts'
import { groupsOf, testFiles } from './test-groups.ts'

/** While some tests wait, others compute. */
const PROCESSES = availableParallelism() + 1

/** What Node makes of the sources is kept for the other processes and for the next run. */
enableCompileCache()
process.env.NODE_COMPILE_CACHE = getCompileCacheDir() ?? ''

const folder = await mkdtemp(join(tmpdir(), 'flux-metrics-tests-'))
const groups = groupsOf(testFiles(process.argv.slice(2)))
const files = await Promise.all(
  groups.map(async ({ name, files }) => {
    const path = join(folder, `${name.replaceAll('/', '-')}.mjs`)
    const imports = files.map((file) => `import '${pathToFileURL(join(ROOT, file))}'\n`)
    await writeFile(path, imports.join(''))
    return path
  }),
)
run({ files, concurrency: PROCESSES })
  .on('test:fail', () => {
    process.exitCode = 1
  })
  .once('close', () => void rm(folder, { recursive: true }))
  .compose(spec)
  .pipe(process.stdout)
