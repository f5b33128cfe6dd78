#include "go_asm.h"
#include "textflag.h"

// Each function is called by C: arguments in DI, SI, DX and CX, the answer in AX; BX, BP and R12 to R15
// must be as they were. Go's own convention here: arguments and answer on the stack, all registers free.
// BP is kept by the assembler, with the frame. The calls go through a register: so the linker, which sees to it
// that functions that don't grow the stack fit into what is left of a goroutine's, does not count these
// frames, which are on C's.

#define ENTER \
	MOVQ BX, 48(SP); \
	MOVQ R12, 56(SP); \
	MOVQ R13, 64(SP); \
	MOVQ R14, 72(SP); \
	MOVQ R15, 80(SP); \
	MOVQ DI, 0(SP); \
	MOVQ SI, 8(SP); \
	MOVQ DX, 16(SP); \
	MOVQ CX, 24(SP)

#define LEAVE \
	MOVQ 48(SP), BX; \
	MOVQ 56(SP), R12; \
	MOVQ 64(SP), R13; \
	MOVQ 72(SP), R14; \
	MOVQ 80(SP), R15; \
	RET

TEXT addFromC<>(SB), NOSPLIT, $88-0
	ENTER
	LEAQ ·add(SB), AX
	CALL AX
	MOVQ 32(SP), AX
	LEAVE

TEXT evictFromC<>(SB), NOSPLIT, $88-0
	ENTER
	LEAQ ·evict(SB), AX
	CALL AX
	MOVQ 32(SP), AX
	LEAVE

TEXT lookupFromC<>(SB), NOSPLIT, $88-0
	ENTER
	LEAQ ·lookup(SB), AX
	CALL AX
	MOVQ 24(SP), AX
	LEAVE

TEXT releaseFromC<>(SB), NOSPLIT, $88-0
	ENTER
	LEAQ ·release(SB), AX
	CALL AX
	LEAVE

TEXT containsFromC<>(SB), NOSPLIT, $88-0
	ENTER
	LEAQ ·contains(SB), AX
	CALL AX
	MOVQ 16(SP), AX
	LEAVE

TEXT removeFromC<>(SB), NOSPLIT, $88-0
	ENTER
	LEAQ ·remove(SB), AX
	CALL AX
	MOVQ 24(SP), AX
	LEAVE

TEXT expiredFromC<>(SB), NOSPLIT, $88-0
	ENTER
	LEAQ ·expired(SB), AX
	CALL AX
	MOVQ 16(SP), AX
	LEAVE

// func fill(table *Table)
TEXT ·fill(SB), NOSPLIT, $0-8
	MOVQ table+0(FP), DI
	LEAQ addFromC<>(SB), AX
	MOVQ AX, Table_Add(DI)
	LEAQ evictFromC<>(SB), AX
	MOVQ AX, Table_Evict(DI)
	LEAQ lookupFromC<>(SB), AX
	MOVQ AX, Table_Lookup(DI)
	LEAQ releaseFromC<>(SB), AX
	MOVQ AX, Table_Release(DI)
	LEAQ containsFromC<>(SB), AX
	MOVQ AX, Table_Contains(DI)
	LEAQ removeFromC<>(SB), AX
	MOVQ AX, Table_Remove(DI)
	LEAQ expiredFromC<>(SB), AX
	MOVQ AX, Table_Expired(DI)
	RET
