# Takes a header made by `flatc --gen-object-api` apart: what every reader of events needs stays in the header
# (standard output); the bodies of the object API (unpack, pack, compare, copy) go to the file named by `objects`, which
# is compiled once into the library.
#
# Why: flatc writes them all as inline functions. Parsing them was two thirds of the time it took to compile any file
# that knows an event, and every file that used one compiled it again. flatc has no switch for this.
#
#   awk -v include=pievt/schema/job_generated.h -v objects=job_objects.cc -f split_header.awk raw/job_generated.h >job_generated.h
BEGIN {
  printf "// Generated from schemas/ with %s.\n#include \"%s\"\n\n", include, include > objects
}

# The same namespaces, opened and closed in the same places.
/^namespace / || /^}  \/\/ namespace/ { print > objects }

/^inline .*::(UnPack|UnPackTo|Pack)\(/ ||                                   # X::UnPack(...)
/^inline flatbuffers::Offset<.*> Create[A-Za-z0-9_]+\(.*, const [A-Za-z0-9_:]+T \*_o/ ||  # CreateX(_fbb, const XT *_o, ...)
/^inline bool operator[!=]=\(const [A-Za-z0-9_:]+T &lhs/ ||                 # XT == XT
/^inline [A-Za-z0-9_]+T::[A-Za-z0-9_]+T\(const / ||                         # XT::XT(const XT &)
/^inline ([A-Za-z0-9_]+Union::[A-Za-z0-9_]+Union\(const |void [A-Za-z0-9_]+Union::Reset\()/ ||   # the union as a value
/^inline [A-Za-z0-9_]+T &[A-Za-z0-9_]+T::operator=\(/ {                     # XT &XT::operator=(XT)
  if (/;$/) { next }  # only a declaration, and the class has one already
  moving = 1
  sub(/^inline /, "")
}

moving { print > objects } !moving { print }
moving && /^}$/ { moving = 0; print "" > objects }
