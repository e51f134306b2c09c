// `flux-metrics dashboard`: a page about MiniClusters in the browser, live. Its flags, its help, and its life.
import { once } from 'node:events'
import { messageOf } from '#serving/text.ts'
import {
  type Command,
  EXIT,
  type ExitCode,
  type Io,
  refuseUsage,
  reportFailure,
} from '../command.ts'
import {
  askForExplanation,
  namespaceOf,
  problemOfTarget,
  readTarget,
  TARGET_FLAGS,
  TARGET_HELP,
  type Target,
  withPatience,
} from '../input/cluster/minicluster-target.ts'
import { readArguments } from '../input/flags.ts'
import { openBrowser } from './browser.ts'
import { ClusterData } from './cluster-data.ts'
import type { DashboardData } from './data.ts'
import type { Ask } from './explained-state.ts'
import { startDashboard } from './loopback-server.ts'
import { readPageFiles } from './page-files.ts'
import { SidecarData } from './sidecar-data.ts'

const FLAGS = {
  ...TARGET_FLAGS,
  port: { type: 'string' },
  'no-open': { type: 'boolean' },
} as const

interface Question {
  /** `undefined`: the list of MiniClusters. */
  readonly target: Target | ListTarget
  readonly port: number
  readonly opens: boolean
}

/** All MiniClusters that the user may see. */
type ListTarget = Omit<Target & { readonly kind: 'cluster' }, 'name'> & { readonly name: undefined }

export const DASHBOARD: Command = {
  name: 'dashboard',
  summary: 'show MiniClusters on a page in the browser, live',
  help: () => `Usage: flux-metrics dashboard [MINICLUSTER] [options]
       flux-metrics dashboard --url URL [options]

Serves a page on this machine until Ctrl-C, prints its address, and opens it:
what each rank does, the sizes and the jobs of the last hour, why each job
waits, warnings with their remedies, and the value of each metric. Without a
name the page lists the MiniClusters; with the gateway, those of all namespaces
that the user may read, else those of one namespace.

The page comes from this program and asks this program alone, which asks the
metrics API of the cluster through kubectl. The user needs the permissions of
"flux-metrics explain"; with permission to list HPAs and to get MiniClusters,
their state and the HPA for each metric are shown, too. Whoever has the address
sees what the user may see: do not pass it on.

  -n, --namespace NAME   namespace of the MiniCluster [that of the context]
      --port PORT        of the page, on 127.0.0.1 [any free one]
      --no-open          do not open a browser
${TARGET_HELP}

Exit codes: 0 ended by Ctrl-C; 1 the page cannot be served; 2 wrong usage.
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const question = readQuestion(args)
  if (typeof question === 'string') return refuseUsage(io, 'dashboard', question)
  const wrong = await problemOfTarget(question.target, io)
  if (wrong !== undefined) return refuseUsage(io, 'dashboard', wrong)
  const stop = new AbortController()
  const restore = io.onInterrupt(() => stop.abort())
  try {
    const data = await dataFor(question.target, io, stop.signal)
    if (typeof data === 'string') return reportFailure(io, 'dashboard', data)
    return await serve(data, question, { io, signal: stop.signal })
  } catch (error) {
    return reportFailure(io, 'dashboard', messageOf(error))
  } finally {
    stop.abort()
    restore()
  }
}

function readQuestion(args: readonly string[]): Question | string {
  const read = readArguments(args, FLAGS)
  if (read.kind === 'problem') return read.problem
  const { values, positionals } = read
  const port = readPort(values.port)
  if (typeof port === 'string') return port
  const opens = values['no-open'] !== true
  const isList = positionals.length === 0 && values.url === undefined
  // The list is asked for as a MiniCluster is: the other flags are the same.
  const target = readTarget(values, isList ? ['all'] : positionals)
  if (typeof target === 'string') return target
  if (!isList || target.kind === 'sidecar') return { target, port, opens }
  return { target: { ...target, name: undefined }, port, opens }
}

function readPort(text = '0'): number | string {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port < 65_536) return port
  return `--port: expected a port from 0 to 65535, got "${text}"`
}

/** @returns a sentence if it is not known which namespace is meant */
async function dataFor(
  target: Question['target'],
  io: Io,
  signal: AbortSignal,
): Promise<DashboardData | string> {
  if (target.kind === 'sidecar') {
    const ask: Ask = (question, patience) =>
      askForExplanation(withPatience(target, patience), question, io)
    return new SidecarData({ version: io.version, title: target.url.host, ask, signal })
  }
  const namespace = await namespaceOf({ ...target, name: target.name ?? '' }, io)
  if (typeof namespace !== 'string') {
    return namespace.kind === 'failure' ? namespace.reason : 'the namespace is not known'
  }
  const { name, kubectl } = target
  return new ClusterData({ io, kubectl, namespace, name, signal })
}

async function serve(
  data: DashboardData,
  { port, opens }: Question,
  { io, signal }: { readonly io: Io; readonly signal: AbortSignal },
): Promise<ExitCode> {
  const dashboard = await startDashboard({ data, files: await readPageFiles(), port })
  // Who has no place for the file has the address.
  const opening = opens ? openBrowser(dashboard.url, io) : undefined
  const tidy = await opening?.catch(() => undefined)
  io.out.write(`${dashboard.url}\n`)
  io.err.write('Ctrl-C ends it. Whoever has this address sees what you may see.\n')
  if (!signal.aborted) await once(signal, 'abort')
  await dashboard.close()
  await tidy?.()
  return EXIT.ok
}
