import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@connecta/contracts';
import type { Logger } from '@connecta/runtime';
import { StableFile } from '../exchange/stable-file.ts';
import type { Shares } from '../shares/shares.ts';
import { Claim, ClaimLost } from './claim-journal.ts';
import { ClaimWork } from './claim-work.ts';
import type { InboxGateway } from './inbox-gateway.ts';
import type { InboxSettings } from './inbox-settings.ts';
import { OwnerFolder } from './owner-folder.ts';

/** An empty file may be one that its writer has just opened. */
const EMPTY_MS = 60_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** What a test needs to see or change of an inbox. */
export interface InboxOptions {
  readonly settings: InboxSettings;
  readonly gateway: InboxGateway;
  readonly shares: Shares;
  readonly log: Logger;
  /** Names this process among those that serve the inbox. */
  readonly mark?: string;
}

/**
 * The files of one folder become orders. Polled, not watched: a network share tells nothing reliable. States of a file:
 * seen → stable → claimed (moved into the working folder, by a rename that only one process wins) → the steps of
 * {@link ClaimWork}.
 */
export class Inbox {
  readonly #settings: InboxSettings;
  readonly #options: InboxOptions;
  readonly #log: Logger;
  readonly #own: OwnerFolder;
  readonly #seen = new Map<string, { stable: StableFile; empty: StableFile }>();
  readonly #ignored = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#log = options.log.child({ inbox: options.settings.name });
    this.#own = new OwnerFolder(options.settings.working, options.mark);
  }

  /** Begins to look, again and again. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Stops looking and lets go of what runs; another process, or the next start, goes on with it. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the inbox stops'));
    await this.#loop;
    await this.settled();
  }

  /** Resolves when no claim is being worked on. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let told = '';
    while (!signal.aborted) {
      const fault = await this.tick(performance.now()).then(
        () => '',
        (error: unknown) => String(error),
      );
      // A share that is away for a night is worth two lines, not one a second.
      if (fault !== told && fault !== '') this.#log.error({ fault }, 'the inbox cannot be looked at');
      if (fault !== told && fault === '') this.#log.info({}, 'the inbox can be looked at again');
      told = fault;
      await sleep(this.#settings.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One look: goes on with what is claimed, adopts what dead processes held, claims what is new and whole. */
  async tick(nowMs: number): Promise<void> {
    await this.#makeFolders();
    await this.#own.tellAlive(nowMs);
    await this.#own.adoptDead(nowMs);
    for (const folder of await this.#own.claims()) await this.#resume(folder);
    await this.#scan(nowMs);
  }

  async #makeFolders(): Promise<void> {
    const { create, path, outbox, rejected, working, processed } = this.#settings;
    if (create) {
      for (const folder of [path, outbox, rejected, processed]) {
        if (folder !== undefined) await mkdir(folder, { recursive: true });
      }
    }
    await mkdir(working).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }

  async #scan(nowMs: number): Promise<void> {
    const { path, maxInFlight } = this.#settings;
    const entries = await readdir(path, { withFileTypes: true });
    const names = new Set(entries.map((entry) => entry.name));
    for (const known of [...this.#seen.keys(), ...this.#ignored]) {
      if (names.has(known)) continue;
      this.#seen.delete(known);
      this.#ignored.delete(known);
    }
    for (const entry of entries) {
      const { name } = entry;
      if (isUnfinishedName(name)) continue;
      if (entry.isDirectory()) this.#tellIgnored(name);
      else if (this.#running.size >= maxInFlight) return;
      else if (!entry.isFile() || (await this.#isWhole(name, nowMs))) await this.#claim(name);
    }
  }

  async #isWhole(name: string, nowMs: number): Promise<boolean> {
    const path = join(this.#settings.path, name);
    const seen = this.#seen.get(name) ?? {
      stable: new StableFile(path, this.#settings.stableMs),
      empty: new StableFile(path, EMPTY_MS, 'also-empty'),
    };
    this.#seen.set(name, seen);
    const [isStable, isLongEmpty] = [await seen.stable.isStable(nowMs), await seen.empty.isStable(nowMs)];
    return isStable || isLongEmpty;
  }

  #tellIgnored(name: string): void {
    if (this.#ignored.has(name)) return;
    this.#ignored.add(name);
    this.#log.warn({ name }, 'a folder inside an inbox is not looked into');
  }

  async #claim(name: string): Promise<void> {
    const id = newId();
    const folder = join(this.#own.path, id);
    await mkdir(folder, { mode: 0o700 });
    const claim = await Claim.begin(folder, id, name);
    try {
      await rename(join(this.#settings.path, name), claim.data);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      // Another process was faster, or its owner took it back.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    this.#seen.delete(name);
    this.#log.info({ claim: id, name }, 'claimed');
    this.#work(claim);
  }

  /** Goes on with a claim whose work does not run: one of an earlier process, or one that was adopted. */
  async #resume(folder: string): Promise<void> {
    if (this.#running.has(folder)) return;
    const claim = await Claim.read(folder).catch((err: unknown) => {
      this.#log.error({ err, folder }, 'a journal cannot be read: its file waits for somebody to look at it');
      return 'unreadable' as const;
    });
    if (claim === 'unreadable') return;
    const hasData = claim && (await lstat(claim.data).catch(() => undefined)) !== undefined;
    if (claim && (hasData || claim.entry.rejectedAs !== undefined || claim.entry.delivered)) {
      this.#log.info({ claim: claim.entry.claim, name: claim.entry.file }, 'going on with a claim');
      this.#work(claim);
    } else {
      // A crash came before the file was moved in: it still lies in the inbox.
      await rm(folder, { recursive: true, force: true });
    }
  }

  #work(claim: Claim): void {
    const { gateway, shares } = this.#options;
    const { signal } = this.#stop;
    const work = new ClaimWork({ claim, inbox: this.#settings, gateway, shares, signal });
    const { folder } = claim;
    const run = this.#untilDone(work, claim).finally(() => this.#running.delete(folder));
    this.#running.set(folder, run);
  }

  async #untilDone(work: ClaimWork, claim: Claim): Promise<void> {
    const { signal } = this.#stop;
    const log = this.#log.child({ claim: claim.entry.claim, name: claim.entry.file });
    for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
      try {
        await work.run();
        const { order, rejectedAs } = claim.entry;
        log.info({ order, rejectedAs }, rejectedAs === undefined ? 'delivered' : 'rejected');
        return;
      } catch (err) {
        if (err instanceof ClaimLost) {
          log.warn({ err }, 'a claim was adopted by another process');
          return;
        }
        if (signal.aborted) return;
        log.warn({ err, waitMs }, 'a claimed file could not be worked on; trying again');
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

/** Names of files that are still being written, by the usual conventions. */
function isUnfinishedName(name: string): boolean {
  return name.startsWith('.') || /\.(?:part|tmp|filepart|crdownload)$/i.test(name);
}
