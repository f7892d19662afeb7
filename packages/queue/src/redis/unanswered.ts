/**
 * Finds messages by who locked them.
 *
 * KEYS[1] active list. ARGV[1] what every key of the queue begins with, ARGV[2…] tokens.
 * Returns ids and tokens in turns.
 */
export const FIND_LOCKED_LUA = `
local wanted, found = {}, {}
for at = 2, #ARGV do wanted[ARGV[at]] = true end
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local token = redis.call('GET', ARGV[1] .. id .. ':lock')
  if token and wanted[token] then
    found[#found + 1] = id
    found[#found + 1] = token
  end
end
return found
`;

/**
 * Requests for work whose answers got lost with their connection. Redis may have given a message for each, or may do so
 * yet: it learns of a dead connection late, and answers what is blocked there when its time is over. From then on the
 * message is found by the request's token.
 */
export class Unanswered {
  #requests: { token: string; dueMs: number }[] = [];

  /** `dueMs`: when Redis has answered it in any case. */
  add(token: string, dueMs: number): void {
    this.#requests.push({ token, dueMs });
  }

  /** Takes out the tokens of those that are due. */
  takeDue(nowMs: number): string[] {
    if (this.#requests.length === 0) return [];
    const due = this.#requests.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length > 0) this.#requests = this.#requests.filter(({ dueMs }) => dueMs > nowMs);
    return due.map(({ token }) => token);
  }
}
