// `npm run e2e:adapter`: builds the adapter that one of the tests adopts. From a cluster's network nobody reaches Go's modules.
import { endWith, programArguments } from '../support/program-arguments.ts'
import { adapterProgram, whyNoAdapter } from './support/adapter-program.ts'

const USAGE = `Usage: E2E_BUILD_ADAPTER=true npm run e2e:adapter

Builds the adapter of the test upstream.e2e.ts with Go, once on a machine, in
some minutes, and prints its path. It needs the Go module proxy.

Exit codes: 0 it is there; 1 it cannot be built; 2 wrong usage.
`

const { positionals } = programArguments({}, { usage: USAGE })
if (positionals.length > 0) endWith(`expected no arguments, got "${positionals[0]}"`, USAGE)
const why = await whyNoAdapter()
if (why === undefined) process.stdout.write(`${await adapterProgram()}\n`)
else {
  process.stderr.write(`${why}\n`)
  process.exitCode = 1
}
