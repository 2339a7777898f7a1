"""FaceCV: face detection, recognition and galleries behind replaceable ports."""
