import type { parse } from '@bufbuild/cel';
import { hasFunction } from './environment.ts';

/** A parsed expression. */
export type Ast = ReturnType<typeof parse>['expr'];

/** A name that an expression looks at, and the members of it as far as they are written out: `steps.a.result`. */
export interface Reference {
  root: string;
  path: readonly string[];
}

/** What an expression looks like, without its values. */
export interface Analysis {
  /** Free names: those that a macro binds are none. */
  references: readonly Reference[];
  /** Nodes of the tree. */
  size: number;
  /** How deep macros (`map`, `filter`, `all`, `exists`, `exists_one`) nest in each other's bodies. */
  depth: number;
  /** What no expression can use. */
  faults: readonly string[];
}

/** The deepest nesting of macros: each level multiplies what an expression costs. */
const MAX_DEPTH = 2;

/** Walks an expression. Parsing bounds its depth, so recursion is safe. */
export function analyse(ast: Ast): Analysis {
  const walk = new Walk();
  const depth = walk.visit(ast, new Set());
  if (depth > MAX_DEPTH) walk.faults.add(`macros are nested deeper than ${MAX_DEPTH}`);
  return { references: walk.references, size: walk.size, depth, faults: [...walk.faults] };
}

class Walk {
  readonly references: Reference[] = [];
  readonly faults = new Set<string>();
  size = 0;

  /** The depth of macros below. */
  visit(expr: Ast | undefined, locals: ReadonlySet<string>): number {
    if (!expr) return 0;
    this.size++;
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'identExpr':
      case 'selectExpr':
        return this.#path(expr, locals).depth;
      case 'callExpr':
        return this.#call(expr, exprKind.value, locals);
      case 'listExpr':
        return this.#all(exprKind.value.elements, locals);
      case 'structExpr':
        return this.#struct(exprKind.value, locals);
      case 'comprehensionExpr':
        return this.#macro(exprKind.value, locals);
      case 'constExpr':
      case undefined:
        return 0;
    }
  }

  #all(exprs: readonly (Ast | undefined)[], locals: ReadonlySet<string>): number {
    return Math.max(0, ...exprs.map((expr) => this.visit(expr, locals)));
  }

  #call(expr: Ast, call: CallOf, locals: ReadonlySet<string>): number {
    if (call.function === '_[_]') return this.#path(expr, locals).depth;
    if (!hasFunction(call.function)) this.faults.add(`there is no function '${call.function}'`);
    return this.#all([call.target, ...call.args], locals);
  }

  #struct({ messageName, entries }: StructOf, locals: ReadonlySet<string>): number {
    if (messageName !== '') this.faults.add(`there is no type '${messageName}'`);
    return this.#all(
      entries.flatMap(({ keyKind, value }) => [keyKind.case === 'mapKey' ? keyKind.value : undefined, value]),
      locals,
    );
  }

  #macro(macro: MacroOf, locals: ReadonlySet<string>): number {
    const inner = new Set([...locals, macro.iterVar, macro.accuVar]);
    const range = this.#all([macro.iterRange, macro.accuInit], locals);
    const body = this.#all([macro.loopCondition, macro.loopStep, macro.result], inner);
    return Math.max(range, body + 1);
  }

  /** Follows members back to the name that they belong to; the path ends where a member is only known at run time. */
  #path(expr: Ast, locals: ReadonlySet<string>): { path: string[] | null; depth: number } {
    const { exprKind } = expr;
    if (exprKind.case === 'identExpr') {
      const path: string[] = [];
      if (!locals.has(exprKind.value.name)) this.references.push({ root: exprKind.value.name, path });
      return { path, depth: 0 };
    }
    const member = memberOf(expr);
    if (!member) return { path: null, depth: this.visit(expr, locals) };
    this.size++;
    const { path, depth } = this.#path(member.of, locals);
    if (typeof member.name === 'string') {
      path?.push(member.name);
      return { path, depth };
    }
    return { path: null, depth: Math.max(depth, this.visit(member.name, locals)) };
  }
}

type KindOf<Case> = Extract<Ast['exprKind'], { case: Case }>;
type CallOf = KindOf<'callExpr'>['value'];
type StructOf = KindOf<'structExpr'>['value'];
type MacroOf = KindOf<'comprehensionExpr'>['value'];

/** `of.name` or `of["name"]`, or `of[expression]`. */
function memberOf({ exprKind }: Ast): { of: Ast; name: string | Ast } | null {
  if (exprKind.case === 'selectExpr') return { of: exprKind.value.operand as Ast, name: exprKind.value.field };
  if (exprKind.case !== 'callExpr' || exprKind.value.function !== '_[_]') return null;
  const [of, index] = exprKind.value.args as [Ast, Ast];
  const constant = index.exprKind.case === 'constExpr' ? index.exprKind.value.constantKind : undefined;
  return { of, name: constant?.case === 'stringValue' ? constant.value : index };
}
