package rig

import "syscall"

// dieWithParent takes a process along when the test is killed or times out,
// where no cleanup runs.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
