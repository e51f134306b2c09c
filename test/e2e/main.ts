// `npm run e2e`: the tests on a real cluster, one file after another. Looks first whether there is one.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { endWith, programArguments } from '../support/program-arguments.ts'

const END = '.e2e.ts'
const FILES = readdirSync(import.meta.dirname).filter((name) => name.endsWith(END))
const NAMES = FILES.map((name) => name.slice(0, -END.length))

const USAGE = `Usage: KUBECONFIG=FILE npm run e2e -- [NAME]...

Runs the tests on the cluster of KUBECONFIG, which must have the images of the
project and nothing that is worth keeping. CONTRIBUTING.md says what each shows;
.ci/run builds a cluster for them.

  NAME  ${NAMES.join(', ').replace(/(.{50,66}) /g, '$1\n        ')}
        [all]

Exit codes: 0 all tests pass; 1 some do not, or no cluster answers; 2 wrong
usage.
`

const { isChosen } = programArguments({}, { usage: USAGE, names: NAMES })
if ((process.env.KUBECONFIG ?? '') === '') endWith('KUBECONFIG is not set', USAGE)
const ready = spawnSync('kubectl', ['get', '--raw', '/readyz', '--request-timeout=10s'])
if (ready.status !== 0) {
  const why = ready.error?.message ?? String(ready.stderr).trim()
  process.stderr.write(`no cluster answers at ${process.env.KUBECONFIG}: ${why}\n`)
  process.exit(1)
}
const files = NAMES.filter(isChosen).map((name) => join(import.meta.dirname, `${name}${END}`))
const options = ['--test', '--test-reporter=spec', '--test-concurrency=1']
const { status } = spawnSync(process.execPath, [...options, ...files], { stdio: 'inherit' })
process.exitCode = status ?? 1
