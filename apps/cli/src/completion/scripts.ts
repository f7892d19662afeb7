/** Each script asks the command itself what may stand at the cursor, so it never grows old. */
export const COMPLETION_SCRIPTS = {
  bash: `# connecta completion for bash: add  eval "$(connecta completion bash)"  to ~/.bashrc
_connecta() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=($(compgen -W "$(connecta complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$word"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _connecta connecta
`,
  zsh: `#compdef connecta
# connecta completion for zsh: add  eval "$(connecta completion zsh)"  to ~/.zshrc, behind compinit
_connecta() {
  local -a found
  found=("\${(@f)$(connecta complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [ \${#found} -gt 0 ] && [ -n "\${found[1]}" ]; then compadd -a found; else _files; fi
}
compdef _connecta connecta
`,
  fish: `# connecta completion for fish: connecta completion fish > ~/.config/fish/completions/connecta.fish
function __connecta_complete
  set -l words (commandline -opc) (commandline -ct)
  connecta complete -- $words[2..-1] 2>/dev/null
end
complete -c connecta -f -a '(__connecta_complete)'
`,
} as const;
