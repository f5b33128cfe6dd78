#include "go_asm.h"
#include "textflag.h"

// Each function is called by C: arguments in R0 to R3, the answer in R0; R19 to R28 and F8 to F15 must be
// as they were. Go's own convention here: arguments and answer on the stack, all registers free.
// R29 and R30 are kept by the assembler, with the frame. For the calls through a register see
// direct_amd64.s.

#define ENTER \
	STP (R19, R20), 56(RSP); \
	STP (R21, R22), 72(RSP); \
	STP (R23, R24), 88(RSP); \
	STP (R25, R26), 104(RSP); \
	STP (R27, g), 120(RSP); \
	FSTPD (F8, F9), 136(RSP); \
	FSTPD (F10, F11), 152(RSP); \
	FSTPD (F12, F13), 168(RSP); \
	FSTPD (F14, F15), 184(RSP); \
	STP (R0, R1), 8(RSP); \
	STP (R2, R3), 24(RSP)

#define LEAVE \
	LDP 56(RSP), (R19, R20); \
	LDP 72(RSP), (R21, R22); \
	LDP 88(RSP), (R23, R24); \
	LDP 104(RSP), (R25, R26); \
	LDP 120(RSP), (R27, g); \
	FLDPD 136(RSP), (F8, F9); \
	FLDPD 152(RSP), (F10, F11); \
	FLDPD 168(RSP), (F12, F13); \
	FLDPD 184(RSP), (F14, F15); \
	RET

TEXT addFromC<>(SB), NOSPLIT, $200-0
	ENTER
	MOVD $·add(SB), R9
	CALL (R9)
	MOVD 40(RSP), R0
	LEAVE

TEXT evictFromC<>(SB), NOSPLIT, $200-0
	ENTER
	MOVD $·evict(SB), R9
	CALL (R9)
	MOVD 40(RSP), R0
	LEAVE

TEXT lookupFromC<>(SB), NOSPLIT, $200-0
	ENTER
	MOVD $·lookup(SB), R9
	CALL (R9)
	MOVD 32(RSP), R0
	LEAVE

TEXT releaseFromC<>(SB), NOSPLIT, $200-0
	ENTER
	MOVD $·release(SB), R9
	CALL (R9)
	LEAVE

TEXT containsFromC<>(SB), NOSPLIT, $200-0
	ENTER
	MOVD $·contains(SB), R9
	CALL (R9)
	MOVD 24(RSP), R0
	LEAVE

TEXT removeFromC<>(SB), NOSPLIT, $200-0
	ENTER
	MOVD $·remove(SB), R9
	CALL (R9)
	MOVD 32(RSP), R0
	LEAVE

TEXT expiredFromC<>(SB), NOSPLIT, $200-0
	ENTER
	MOVD $·expired(SB), R9
	CALL (R9)
	MOVD 24(RSP), R0
	LEAVE

// func fill(table *Table)
TEXT ·fill(SB), NOSPLIT, $0-8
	MOVD table+0(FP), R1
	MOVD $addFromC<>(SB), R0
	MOVD R0, Table_Add(R1)
	MOVD $evictFromC<>(SB), R0
	MOVD R0, Table_Evict(R1)
	MOVD $lookupFromC<>(SB), R0
	MOVD R0, Table_Lookup(R1)
	MOVD $releaseFromC<>(SB), R0
	MOVD R0, Table_Release(R1)
	MOVD $containsFromC<>(SB), R0
	MOVD R0, Table_Contains(R1)
	MOVD $removeFromC<>(SB), R0
	MOVD R0, Table_Remove(R1)
	MOVD $expiredFromC<>(SB), R0
	MOVD R0, Table_Expired(R1)
	RET
