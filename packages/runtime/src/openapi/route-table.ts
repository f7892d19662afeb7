/** What a path of the document leads to; `Target` is one operation. */
export interface Match<Target> {
  path: string;
  /** Undefined when the path exists and the method does not. */
  target: Target | undefined;
  /** Methods that the path answers, upper case. */
  allow: readonly string[];
  params: Record<string, string>;
}

interface Node<Target> {
  fixed: Map<string, Node<Target>>;
  variable?: Node<Target>;
  leaf?: { path: string; names: readonly string[]; methods: Map<string, Target> };
}

const emptyNode = <Target>(): Node<Target> => ({ fixed: new Map() });

/**
 * Path templates (`/v1/jobs/{id}`) as a tree of segments: one look-up costs a map access per segment, however many
 * paths there are. A fixed segment wins over a variable one.
 */
export class RouteTable<Target> {
  readonly #root: Node<Target> = emptyNode();

  add(path: string, method: string, target: Target): void {
    let node = this.#root;
    const names: string[] = [];
    for (const segment of path.slice(1).split('/')) {
      const name = /^\{(.+)\}$/.exec(segment)?.[1];
      if (name === undefined) {
        const next = node.fixed.get(segment) ?? emptyNode<Target>();
        node.fixed.set(segment, next);
        node = next;
      } else {
        names.push(name);
        node = node.variable ??= emptyNode();
      }
    }
    node.leaf ??= { path, names, methods: new Map() };
    node.leaf.methods.set(method.toUpperCase(), target);
  }

  /** @throws URIError when a segment is not valid percent-encoding. */
  find(method: string, path: string): Match<Target> | null {
    const end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length;
    const values: string[] = [];
    const leaf = findLeaf(this.#root, path.slice(1, end).split('/'), 0, values);
    if (!leaf) return null;
    const target = leaf.methods.get(method) ?? (method === 'HEAD' ? leaf.methods.get('GET') : undefined);
    const params: Record<string, string> = {};
    for (const [i, name] of leaf.names.entries()) params[name] = decodeURIComponent(values[i] ?? '');
    return { path: leaf.path, target, allow: [...leaf.methods.keys()], params };
  }
}

function findLeaf<Target>(
  node: Node<Target>,
  segments: readonly string[],
  at: number,
  values: string[],
): Node<Target>['leaf'] {
  const segment = segments[at];
  if (segment === undefined) return node.leaf;
  const fixed = node.fixed.get(segment);
  if (fixed) {
    const leaf = findLeaf(fixed, segments, at + 1, values);
    if (leaf) return leaf;
  }
  if (!node.variable || segment === '') return undefined;
  values.push(segment);
  const leaf = findLeaf(node.variable, segments, at + 1, values);
  if (!leaf) values.pop();
  return leaf;
}
